import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkpointPath, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { linkStateFiles, moveStateFiles } from './state-files.ts';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'nowcast-state-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const checkpoint = { epoch: 'e_old', offsets: [7], evictedNewest: [null], dedupe: Uint8Array.of(1, 2, 3) };
const letter = (epoch: string, offset: number) =>
  JSON.stringify({ epoch, partition: 0, offset, bytes: 'AA==' });

test('links keep what was there when the files are replaced meanwhile', async () => {
  await writeCheckpoint(checkpointPath(dataDir), checkpoint);
  const before = await readFile(checkpointPath(dataDir));
  const folder = join(dataDir, 'held');
  const files = await linkStateFiles(dataDir, folder);
  await writeCheckpoint(checkpointPath(dataDir), { ...checkpoint, offsets: [9] });
  expect(files).toEqual([
    { name: 'engine.checkpoint', path: join(folder, 'engine.checkpoint'), size: before.length },
  ]);
  expect(await readFile(files[0]!.path)).toEqual(before);
  rmSync(checkpointPath(dataDir));
  expect(await linkStateFiles(dataDir, folder), 'made anew').toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});

test('what spoke of the log speaks of its copy, and what spoke of another log still does', async () => {
  await writeCheckpoint(checkpointPath(dataDir), checkpoint);
  const letters = join(dataDir, 'dead-letters.ndjson');
  await writeFile(letters, `${letter('e_old', 3)}\n${letter('e_older', 4)}\n{"epoch":"e_old","off`);
  await moveStateFiles(dataDir, 'e_old', 'e_new');
  expect(await readCheckpoint(checkpointPath(dataDir))).toEqual({ ...checkpoint, epoch: 'e_new' });
  const moved = `${letter('e_new', 3)}\n${letter('e_older', 4)}\n{"epoch":"e_old","off`;
  expect(await readFile(letters, 'utf8')).toBe(moved);
  await moveStateFiles(dataDir, 'e_older', 'e_other');
  expect((await readCheckpoint(checkpointPath(dataDir)))?.epoch, 'not of the log that moves').toBe('e_new');
});
