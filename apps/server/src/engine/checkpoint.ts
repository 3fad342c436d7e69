import { join } from 'node:path';
import type { SourceTotals } from '@nowcast/ingest';
import { readSealedFile, writeSealedFile } from './sealed-file.ts';

/** What the warehouse has of one partition: records below `to`, and the series below this local index. */
export interface StoredPartition {
  to: number;
  /** Receipt time of the last record below `to`, epoch ms. */
  receivedAt: number;
  series: number;
}

/**
 * What lets the log be cut: the dedupe state as of an offset vector, and what is known of points that left memory.
 * The dedupe bytes are the content of a sealed file, the rest its head.
 */
export interface Checkpoint {
  /** The log this belongs to; positions of another one mean nothing here. */
  epoch: string;
  /** First offset the dedupe state does not cover, for each partition. */
  offsets: number[];
  /** No point that left memory before this checkpoint has a newer event time; null when none left. */
  evictedNewest: (number | null)[];
  /** A start does without the records below, whether the log is cut there or not; absent in earlier versions. */
  neededFrom?: readonly number[];
  /** What each API key had sent; absent in checkpoints of earlier versions. */
  sources?: readonly SourceTotals[];
  /** What the warehouse had of each partition, and how long the series file was; absent in earlier versions. */
  stored?: readonly StoredPartition[];
  seriesBytes?: number;
  /** What retention had counted from, epoch ms; absent in earlier versions. */
  retentionAt?: number;
  dedupe: Uint8Array;
}

const magic = 0x4e434b31;

export function checkpointPath(dataDir: string): string {
  return join(dataDir, 'engine.checkpoint');
}

export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { dedupe, ...head } = checkpoint;
  await writeSealedFile(path, magic, head, dedupe);
}

/** Undefined when there is none yet. Throws when the file is damaged: dedupe promises would silently be broken. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  const file = await readSealedFile(path, magic);
  if (file === 'damaged')
    throw new Error(
      `${path} is damaged; move it away to start without its dedupe window (retries from before may then be counted twice)`,
    );
  return file && { ...(file.head as Omit<Checkpoint, 'dedupe'>), dedupe: file.content };
}
