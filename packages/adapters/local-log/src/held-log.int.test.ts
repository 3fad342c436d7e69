import { readFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalEventLog } from './index.ts';

let directory: string;
let log: LocalEventLog;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nowcast-held-'));
  log = new LocalEventLog({ directory, partitions: 2, segmentBytes: 400 });
  await log.run();
});
afterEach(async () => {
  await log.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function append(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const payload = Buffer.from(`record ${i}`);
    await log.append([
      { partition: 0, payload },
      { partition: 1, payload },
    ]);
  }
}

test('what is held is not cut and not written over while the log goes on, and is cut once it is let go', async () => {
  await append(20);
  const held = log.hold();
  await append(20);
  const { files, tail, head } = held.copy();
  expect([tail, head]).toEqual([
    [0, 0],
    [40, 40],
  ]);
  const before = await Promise.all(files.map(({ path }) => readFile(path)));
  await log.truncate(log.head());
  await append(40);
  await log.truncate(log.head());
  expect(log.tail()).toEqual([0, 0]);
  for (const [i, { path, size }] of files.entries())
    expect((await readFile(path)).subarray(0, size), path).toEqual(before[i]!.subarray(0, size));
  held.release();
  await log.truncate(log.head());
  expect(log.tail()[0]).toBeGreaterThan(40);
});
