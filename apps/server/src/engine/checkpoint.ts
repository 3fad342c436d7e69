import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { SourceTotals } from '@nowcast/ingest';
import type { StoredPartition } from './stored-history.ts';

/**
 * What lets the log be cut: the dedupe state as of an offset vector, and what is known of points that left memory.
 * One file, replaced whole (write, fsync, rename, fsync of the folder): after a crash either the old or the new one.
 *
 * Layout: magic, length of the JSON head, JSON head, dedupe bytes, CRC-32 of everything before it.
 */
export interface Checkpoint {
  /** The log this belongs to; positions of another one mean nothing here. */
  epoch: string;
  /** First offset the dedupe state does not cover, for each partition. */
  offsets: number[];
  /** No point that left memory before this checkpoint has a newer event time; null when none left. */
  evictedNewest: (number | null)[];
  /** What each API key had sent; absent in checkpoints of earlier versions. */
  sources?: readonly SourceTotals[];
  /** What the warehouse had of each partition, and how long the series file was; absent in earlier versions. */
  stored?: readonly StoredPartition[];
  seriesBytes?: number;
  dedupe: Uint8Array;
}

const magic = 0x4e434b31;

export function checkpointPath(dataDir: string): string {
  return join(dataDir, 'engine.checkpoint');
}

export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { dedupe, ...head } = checkpoint;
  const text = Buffer.from(JSON.stringify(head));
  const bytes = Buffer.alloc(12 + text.length + dedupe.length);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(text.length, 4);
  text.copy(bytes, 8);
  bytes.set(dedupe, 8 + text.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Undefined when there is none yet. Throws when the file is damaged: dedupe promises would silently be broken. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const end = bytes.length - 4;
  const intact =
    bytes.length >= 12 &&
    bytes.readUInt32LE(0) === magic &&
    crc32(bytes.subarray(0, end)) === bytes.readUInt32LE(end);
  if (!intact)
    throw new Error(
      `${path} is damaged; move it away to start without its dedupe window (retries from before may then be counted twice)`,
    );
  const headLength = bytes.readUInt32LE(4);
  const head = JSON.parse(bytes.toString('utf8', 8, 8 + headLength)) as Omit<Checkpoint, 'dedupe'>;
  return { ...head, dedupe: new Uint8Array(bytes.subarray(8 + headLength, end)) };
}
