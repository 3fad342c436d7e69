import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import { randomId } from '@nowcast/kernel';
import { type Disk, writeFully } from './disk.ts';
import { segmentIndexOf } from './segment.ts';

/**
 * `log.json`: what must stay the same for as long as the log lives. Offsets mean nothing without the number of
 * partitions, and positions mean nothing without the epoch; so a log is never opened with another count, and a
 * directory that has one without the other is not silently begun anew.
 */
export interface LogIdentity {
  epoch: string;
  partitions: number;
}

const fileName = 'log.json';
const preparedName = 'log.json.prepared';
const format = 1;

/** The identity on the disk; `undefined` when this directory has never held a log. */
export async function readIdentity(disk: Disk, directory: string): Promise<LogIdentity | undefined> {
  const path = join(directory, fileName);
  const text = await disk.readText(path);
  const names = await disk.list(directory);
  const hasSegments = names.some((name) => segmentIndexOf(name) !== undefined);
  if (text === undefined) {
    if (!hasSegments || names.includes(preparedName)) return undefined;
    throw appError('log.failed', `${path} is missing beside log segments: put it back or restore a backup`);
  }
  if (!hasSegments) {
    throw appError(
      'log.failed',
      `${directory} has lost its log segments: put them back, or restore a backup into an empty directory`,
    );
  }
  return parseIdentity(path, text);
}

function parseIdentity(path: string, text: string): LogIdentity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw appError('log.failed', `${path} is not JSON: put the file back from a backup`, { cause });
  }
  const { format: found, epoch, partitions } = (value ?? {}) as Record<string, unknown>;
  if (found !== format) {
    throw appError(
      'log.failed',
      `${path} has format ${String(found)}, this version reads format ${format}: start the version that wrote it`,
    );
  }
  if (typeof epoch !== 'string' || typeof partitions !== 'number' || !Number.isSafeInteger(partitions)) {
    throw appError('log.failed', `${path} lacks epoch or partitions: put the file back from a backup`);
  }
  return { epoch, partitions };
}

/**
 * Creating a log takes three steps: the identity is prepared, the first segment is made, the identity gets its name.
 * A crash in between leaves the prepared file, which says that nothing was ever written here: it is begun again.
 */
export async function prepareIdentity(
  disk: Disk,
  directory: string,
  partitions: number,
): Promise<LogIdentity> {
  const identity: LogIdentity = { epoch: randomId('e'), partitions };
  const file = await disk.open(join(directory, preparedName), 'create');
  try {
    const text = Buffer.from(`${JSON.stringify({ format, ...identity })}\n`);
    await writeFully(file, [text], text.byteLength, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncDirectory(directory);
  return identity;
}

/** The last step: from here on the log exists. */
export async function publishIdentity(disk: Disk, directory: string): Promise<void> {
  await disk.rename(join(directory, preparedName), join(directory, fileName));
  await disk.syncDirectory(directory);
}

export async function storedPartitions(disk: Disk, directory: string): Promise<number | undefined> {
  const text = await disk.readText(join(directory, fileName));
  return text === undefined ? undefined : parseIdentity(join(directory, fileName), text).partitions;
}
