import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { SeriesDefinition } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';

/**
 * The series that cut records of the log defined. The warehouse has them too, but a start must not wait for it: an
 * engine that does not know a series would give it a second number.
 *
 * Series are never changed, so the file only grows: before each checkpoint, by what is new. The checkpoint says how
 * long the file was then; what a crash left behind that is written over.
 *
 * Only series of durable records may be in it. The index knows others too, whose definition is still to be written.
 *
 * Block: length of the text, CRC-32 of the text (both little-endian), JSON text.
 */
type Entry = [
  partition: number,
  local: number,
  tenant: string,
  metric: string,
  source: string,
  labels: SeriesDefinition['labels'],
];

const entriesPerBlock = 5000;

export class SeriesFile {
  readonly #path: string;
  #bytes = 0;
  /** How many series of each partition are in it. */
  #ends: number[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Fills the empty index with what the first `bytes` of the file hold. `false`, and the index untouched, when they
   * are not all there or damaged; the next `extend` makes the file anew then.
   */
  async load(bytes: number, index: SeriesIndex): Promise<boolean> {
    const content = await readFile(this.#path).catch(() => undefined);
    const blocks = content === undefined ? undefined : blocksOf(content, bytes);
    if (blocks === undefined) return false;
    for (const block of blocks) {
      for (const [partition, local, tenant, metric_type, source, labels] of JSON.parse(block) as Entry[]) {
        index.restore(partition, local, { tenant, metric_type, source, labels });
        this.#ends[partition] = local + 1;
      }
      await nextTurn();
    }
    this.#bytes = bytes;
    return true;
  }

  /**
   * Appends what it does not have of the series below `ends` (local indexes, one a partition) and syncs that; resolves
   * with the length that is valid now.
   */
  async extend(index: SeriesIndex, ends: readonly number[]): Promise<number> {
    const blocks = [...newBlocks(index, this.#ends, ends)];
    if (blocks.length === 0) return this.#bytes;
    const file = await open(this.#path, this.#bytes === 0 ? 'w' : 'r+');
    let bytes = this.#bytes;
    try {
      for (const block of blocks) {
        const { bytesWritten } = await file.write(block, 0, block.length, bytes);
        if (bytesWritten !== block.length) throw new Error(`${this.#path} takes no more bytes`);
        bytes += block.length;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    if (this.#bytes === 0) await syncFolder(dirname(this.#path));
    this.#bytes = bytes;
    this.#ends = [...ends];
    return bytes;
  }
}

function* newBlocks(
  index: SeriesIndex,
  known: readonly number[],
  ends: readonly number[],
): Generator<Buffer, void> {
  for (const [partition, end] of ends.entries()) {
    for (let from = known[partition] ?? 0; from < end; from += entriesPerBlock)
      yield blockOf(index, partition, from, Math.min(from + entriesPerBlock, end));
  }
}

function blockOf(index: SeriesIndex, partition: number, from: number, to: number): Buffer {
  const entries: Entry[] = [];
  for (let local = from; local < to; local++) {
    const { tenant, metric_type, source, labels } = index.definitionOf(index.handleOf(partition, local));
    entries.push([partition, local, tenant, metric_type, source, labels]);
  }
  const text = Buffer.from(JSON.stringify(entries));
  const block = Buffer.alloc(8 + text.length);
  block.writeUInt32LE(text.length, 0);
  block.writeUInt32LE(crc32(text), 4);
  text.copy(block, 8);
  return block;
}

function blocksOf(content: Buffer, end: number): string[] | undefined {
  const blocks: string[] = [];
  let at = 0;
  while (at < end) {
    if (at + 8 > content.length) return undefined;
    const next = at + 8 + content.readUInt32LE(at);
    const text = content.subarray(at + 8, next);
    if (next > content.length || crc32(text) !== content.readUInt32LE(at + 4)) return undefined;
    blocks.push(text.toString());
    at = next;
  }
  return at === end ? blocks : undefined;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
