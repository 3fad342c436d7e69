import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { backupOptions, parseOptions } from '@nowcast/config';
import { copyDatabase } from '@nowcast/adapter-sqlite';
import { appError } from '@nowcast/contract';
import { isAppError } from '@nowcast/kernel';
import { metaStorePath } from '../../embedded.ts';
import type { HeldData } from '../../engine/data-hold.ts';
import { version } from '../../version.ts';
import { type ApiClient, refusalOf } from '../api-client.ts';
import { dataDirOf } from '../data-dir.ts';
import { orFullDisk } from '../full-disk.ts';
import { withLocalApi } from '../local-session.ts';
import type { CommandContext } from '../output.ts';
import { formatBytes } from '../progress.ts';
import { ArchiveWriter } from './archive-writer.ts';
import { backupFormat, metaName } from './manifest.ts';

/** The data as the server lends it. */
type Lent = HeldData & { id: string };

interface Held {
  data: Lent;
  response: IncomingMessage;
}

/** How long the history may take to start. */
const patienceMs = 120_000;

/**
 * `nowcast backup`: everything of an installation in one file, as of one position of the log, while the server goes on.
 *
 * The server holds its data as it is and says which bytes of which files are that; this process copies them. Users and
 * boards are copied after the data was held: every organisation that a point belongs to is then among them.
 */
export async function backup(context: CommandContext): Promise<number> {
  const options = parseOptions(backupOptions, context);
  const dataDir = dataDirOf(options.dataDir, context.environment);
  const madeAtMs = Date.now();
  const { path, isFolder } = await targetOf(options.to, dataDir, madeAtMs);
  return withLocalApi(dataDir, context, async (api) => {
    const archive = await ArchiveWriter.create(path, madeAtMs);
    try {
      const held = await hold(api);
      await copy(archive, held.data, dataDir, madeAtMs);
      // Whoever lost the data on the way copied something else than what was named.
      await letGo(api, held.data.id);
      held.response.destroy();
      const name = await archive.publish({ orNumbered: isFolder });
      context.print(`${name}\n`);
      context.note(
        `${formatBytes(archive.bytes)}; "nowcast restore --from ${name} --data-dir NEW" brings it back\n`,
      );
    } catch (error) {
      const reason = await orFullDisk(error, dirname(path));
      await archive.discard();
      throw reason;
    }
    return 0;
  });
}

/** A folder that is there gets a file with the time in its name; anything else is the file to make. */
async function targetOf(
  to: string,
  dataDir: string,
  nowMs: number,
): Promise<{ path: string; isFolder: boolean }> {
  const path = resolve(to);
  const found = await ifThere(stat(path));
  const isFolder = found?.isDirectory() === true;
  const folder = isFolder ? path : dirname(path);
  if ((await ifThere(stat(folder)))?.isDirectory() !== true)
    throw appError('request.invalid', `there is no folder ${folder}; make it first`);
  if (await isWithin(folder, dataDir))
    throw appError('request.invalid', `--to is inside ${dataDir}; a backup beside the data is lost with it`);
  if (!isFolder && found !== undefined)
    throw appError('request.invalid', `${path} exists already; name a new file, or a folder`);
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return { path: isFolder ? join(path, `nowcast-${time}.tar`) : path, isFolder };
}

/** By the real paths: either may be reached through a symbolic link. */
async function isWithin(folder: string, dataDir: string): Promise<boolean> {
  const realDataDir = await ifThere(realpath(dataDir));
  if (realDataDir === undefined) return false;
  return relative(realDataDir, await realpath(folder)).split(sep)[0] !== '..';
}

/** The history may still be starting; everything else is told at once. */
async function hold(api: ApiClient): Promise<Held> {
  const startedMs = performance.now();
  for (;;) {
    try {
      return await tryHold(api);
    } catch (error) {
      const mayCome = isAppError(error) && error.code === 'warehouse.unavailable';
      if (!mayCome || performance.now() - startedMs > patienceMs) throw error;
      await delay(500);
    }
  }
}

async function tryHold(api: ApiClient): Promise<Held> {
  // However long the server takes for it, and then for as long as the copy takes.
  const response = await api.open({ method: 'POST', path: '/local/hold', mayBeSilent: true });
  // From here on its end only means that the server is gone, which `letGo` finds out.
  response.on('error', () => undefined);
  const first = await createInterface({ input: response })[Symbol.asyncIterator]().next();
  const text = first.done === true ? '' : first.value;
  if (response.statusCode !== 200)
    throw refusalOf({ status: response.statusCode ?? 0, headers: response.headers, text });
  if (text === '') throw appError('server.unavailable', 'the server stopped before it gave out its data');
  return { data: JSON.parse(text) as Lent, response };
}

async function letGo(api: ApiClient, id: string): Promise<void> {
  const answer = await api.send({ method: 'POST', path: `/local/hold/${id}/end` });
  if (answer.status !== 204) throw refusalOf(answer);
}

async function copy(archive: ArchiveWriter, held: Lent, dataDir: string, madeAtMs: number): Promise<void> {
  const { files, epoch, partitions, tail, head, watermarks, rows } = held;
  await archive.addBytes(metaName, copyDatabase(metaStorePath(dataDir)));
  for (const { name, path, size } of files) await archive.addFile(name, path, size);
  await archive.seal({
    format: backupFormat,
    version,
    created_at: madeAtMs,
    epoch,
    partitions,
    tail: [...tail],
    head: [...head],
    watermarks: [...watermarks],
    rows: { ...rows },
  });
}

/** Undefined where there is no such file or folder. */
async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
