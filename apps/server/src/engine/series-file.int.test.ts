import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeriesDefinition } from '@nowcast/contract';
import { SeriesIndex } from '@nowcast/head';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SeriesFile } from './series-file.ts';

const partitions = 3;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nowcast-series-'));
  path = join(folder, 'engine.series');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function define(index: SeriesIndex, from: number, to: number): void {
  for (let i = from; i < to; i++)
    index.define({ tenant: 'acme', metric_type: `m${i % 5}`, source: `s${i}`, labels: [['host', `h${i}`]] });
}

function endsOf(index: SeriesIndex): number[] {
  return Array.from({ length: partitions }, (_, partition) => index.partitionSize(partition));
}

/** Each partition's series in the order of their local indexes. */
function contents(index: SeriesIndex): SeriesDefinition[][] {
  return endsOf(index).map((end, partition) =>
    Array.from({ length: end }, (_, local) => index.definitionOf(index.handleOf(partition, local))),
  );
}

describe('the file of series', () => {
  test('gives back what it was given, over several growths and across many blocks', async () => {
    const index = new SeriesIndex(partitions);
    const file = new SeriesFile(path);
    let bytes = 0;
    for (const size of [7, 7, 9, 30_000]) {
      define(index, index.size, size);
      bytes = await file.extend(index, endsOf(index));
    }
    const found = new SeriesIndex(partitions);
    const again = new SeriesFile(path);
    expect(await again.load(bytes, found)).toBe(true);
    expect(contents(found)).toEqual(contents(index));
    define(found, 30_000, 30_010);
    const longer = await again.extend(found, endsOf(found));
    const last = new SeriesIndex(partitions);
    expect(await new SeriesFile(path).load(longer, last)).toBe(true);
    expect(contents(last)).toEqual(contents(found));
  });

  test('leaves out series whose definition is not durable yet', async () => {
    const index = new SeriesIndex(partitions);
    define(index, 0, 50);
    const durable = endsOf(index);
    define(index, 50, 100);
    const bytes = await new SeriesFile(path).extend(index, durable);
    const found = new SeriesIndex(partitions);
    expect(await new SeriesFile(path).load(bytes, found)).toBe(true);
    expect(endsOf(found)).toEqual(durable);
  });

  test('what a crash left behind the valid length is written over', async () => {
    const index = new SeriesIndex(partitions);
    define(index, 0, 20);
    const bytes = await new SeriesFile(path).extend(index, endsOf(index));
    appendFileSync(path, 'half a block of a checkpoint that never came');
    const found = new SeriesIndex(partitions);
    const file = new SeriesFile(path);
    expect(await file.load(bytes, found)).toBe(true);
    define(found, 20, 21);
    const longer = await file.extend(found, endsOf(found));
    expect(await new SeriesFile(path).load(longer, new SeriesIndex(partitions))).toBe(true);
  });

  test('a damaged byte, a short file and none at all are told, and the file is made anew', async () => {
    const index = new SeriesIndex(partitions);
    define(index, 0, 20);
    const bytes = await new SeriesFile(path).extend(index, endsOf(index));
    const good = readFileSync(path);
    for (let at = 0; at < bytes; at += 37) {
      const bad = Buffer.from(good);
      bad[at]! ^= 0x10;
      writeFileSync(path, bad);
      const found = new SeriesIndex(partitions);
      expect(await new SeriesFile(path).load(bytes, found), `byte ${at}`).toBe(false);
      expect(found.size).toBe(0);
    }
    writeFileSync(path, good.subarray(0, bytes - 1));
    expect(await new SeriesFile(path).load(bytes, new SeriesIndex(partitions))).toBe(false);
    rmSync(path);
    const file = new SeriesFile(path);
    expect(await file.load(bytes, new SeriesIndex(partitions))).toBe(false);
    expect(await file.extend(index, endsOf(index))).toBe(bytes);
    expect(readFileSync(path)).toEqual(good);
  });
});
