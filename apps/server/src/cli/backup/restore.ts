import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseOptions, restoreOptions } from '@nowcast/config';
import { restoreWarehouse } from '@nowcast/adapter-clickhouse';
import { beginEpoch, LocalEventLog } from '@nowcast/adapter-local-log';
import { appError } from '@nowcast/contract';
import { systemClock } from '@nowcast/kernel';
import type { KeyRow } from '@nowcast/ports';
import { metaStoreOf } from '../../embedded.ts';
import { moveStateFiles, stateFileNames } from '../../engine/state-files.ts';
import { dataDirPath, restoringMark } from '../data-dir.ts';
import { orFullDisk } from '../full-disk.ts';
import type { CommandContext } from '../output.ts';
import { type EntrySink, readArchive } from './archive-reader.ts';
import { type BackupManifest, metaName } from './manifest.ts';
import { syncTree } from './sync-tree.ts';

/** What a backup may hold; nothing else is written, and nothing outside the data folder. */
const entryPattern = /^(?:log\/\d{12}\.log|warehouse\/\w+\/\w[\w-]*\/[\w%][\w.%-]*)$/;

/**
 * `nowcast restore`: a new data folder from a backup. The restored log has the same records under a new epoch, so that
 * a viewer who was further than the backup gets everything anew instead of a mixture.
 *
 * The folder carries a mark until all is verified and on the disk; no server starts on it before.
 */
export async function restore(context: CommandContext): Promise<number> {
  const options = parseOptions(restoreOptions, context);
  const dataDir = dataDirPath(options.dataDir, context.environment);
  const from = resolve(options.from);
  const isNew = await makeEmptyFolder(dataDir);
  try {
    await mark(dataDir);
    const manifest = await readArchive(from, (name) => sinkOf(dataDir, name));
    const epoch = await rebuild(dataDir, manifest);
    const keys = await endSessions(dataDir);
    await syncTree(dataDir);
    await rm(join(dataDir, restoringMark));
    await syncTree(dataDir, { deep: false });
    const made = new Date(manifest.created_at).toISOString();
    context.print(`${dataDir} is as it was at ${made}, and ready to serve (epoch ${epoch})\n`);
    context.print(accessText(keys));
    context.print(
      'To look at a copy, serve it with --no-messages: its alerts would be sent to people again.\n',
    );
  } catch (error) {
    const reason = await orFullDisk(error, dataDir);
    await clear(dataDir, isNew);
    throw reason;
  }
  return 0;
}

/** Whether it had to be made. */
async function makeEmptyFolder(dataDir: string): Promise<boolean> {
  const made = await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const found = await readdir(dataDir);
  if (found.length === 0) return made !== undefined;
  const half = found.includes(restoringMark)
    ? 'holds a restore that did not finish; remove it and run restore again'
    : `is not empty (${found[0]}, …); a restore never mixes with what is there, so name a new folder`;
  throw appError('request.invalid', `${dataDir} ${half}`);
}

async function mark(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, restoringMark), 'A restore into this folder is not finished.\n');
  await syncTree(dataDir);
}

async function clear(dataDir: string, isNew: boolean): Promise<void> {
  if (isNew) return rm(dataDir, { recursive: true, force: true });
  // The mark last: half a folder must not look like a whole one.
  for (const name of await readdir(dataDir))
    if (name !== restoringMark) await rm(join(dataDir, name), { recursive: true, force: true });
  await rm(join(dataDir, restoringMark), { force: true });
}

async function sinkOf(dataDir: string, name: string): Promise<EntrySink> {
  if (name !== metaName && !stateFileNames.includes(name) && !entryPattern.test(name))
    throw appError('request.invalid', `the backup holds ${name}, which this version does not know`);
  const path = join(dataDir, placeOf(name));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'wx', 0o600);
  return {
    write: async (bytes) => {
      for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
    },
    close: () => file.close(),
  };
}

/** Parts of the warehouse are laid aside first; the engine takes them over. */
function placeOf(name: string): string {
  return name.startsWith('warehouse/') ? name.replace('warehouse/', 'warehouse/restored/') : name;
}

async function rebuild(dataDir: string, manifest: BackupManifest): Promise<string> {
  const warehouse = join(dataDir, 'warehouse');
  await mkdir(warehouse, { recursive: true, mode: 0o700 });
  const watermarks = await restoreWarehouse({
    dir: warehouse,
    from: join(warehouse, 'restored'),
    rows: manifest.rows,
    clock: systemClock,
    log: () => undefined,
  });
  if (JSON.stringify(watermarks) !== JSON.stringify(manifest.watermarks))
    throw appError(
      'server.error',
      `the restored history ends elsewhere than the backup's (${text(watermarks)})`,
    );
  const epoch = await restoreLog(join(dataDir, 'log'), manifest);
  await moveStateFiles(dataDir, manifest.epoch, epoch);
  return epoch;
}

/** Gives the log its new epoch, then reads every record in it. */
async function restoreLog(directory: string, manifest: BackupManifest): Promise<string> {
  const epoch = await beginEpoch(directory, manifest.partitions);
  const log = new LocalEventLog({ directory, partitions: manifest.partitions });
  await log.run();
  const ends = [log.tail(), log.head()];
  await log.stop();
  if (text(ends) !== text([manifest.tail, manifest.head]))
    throw appError('server.error', `the restored log holds ${text(ends)}, the backup says otherwise`);
  return epoch;
}

/**
 * Whoever signed out since the backup, or was signed out, would otherwise be signed in again. What was done to keys
 * since then is not known here: the answer has all those that work.
 */
async function endSessions(dataDir: string): Promise<KeyRow[]> {
  const store = metaStoreOf(dataDir);
  await store.run();
  try {
    await store.sessions.deleteAll();
    const tenants = await store.tenants.list();
    const keys = await Promise.all(tenants.map(({ tenantId }) => store.keys.list(tenantId)));
    const now = systemClock.now();
    return keys.flat().filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
  } finally {
    await store.stop();
  }
}

function accessText(keys: readonly KeyRow[]): string {
  const sessions = 'Its sessions are ended: everybody signs in again.\n';
  if (keys.length === 0) return sessions;
  const lines = keys.map(
    ({ keyId, name, createdAt }) => `${keyId}\t${name}\tcreated ${new Date(createdAt).toISOString()}\n`,
  );
  const review = 'These API keys are valid again, deleted since or not; "nowcast key delete" ends one:\n';
  return `${sessions}${review}${lines.join('')}`;
}

function text(value: unknown): string {
  return JSON.stringify(value);
}
