import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArchiveWriter } from './archive-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-archive-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const about = {
  format: 1,
  version: '0.0.0-test',
  created_at: 0,
  epoch: 'e',
  partitions: 1,
  tail: [0],
  head: [0],
  watermarks: [0],
  rows: {},
} as unknown as Parameters<ArchiveWriter['seal']>[0];

async function sealed(path: string, content: string): Promise<ArchiveWriter> {
  const archive = await ArchiveWriter.create(path, 0);
  await archive.addBytes('content', Buffer.from(content));
  await archive.seal(about);
  return archive;
}

const contentOf = async (path: string): Promise<string> => (await readFile(path, 'latin1')).slice(512, 517);

test('two installations that back up into one folder in the same second both have their backup', async () => {
  const path = join(folder, 'nowcast-20260102T030405Z.tar');
  const first = await sealed(path, 'first');
  await writeFile(path, 'other');
  const published = await first.publish({ orNumbered: true });
  const second = await sealed(path, 'after');
  expect([published, await second.publish({ orNumbered: true })]).toEqual([
    join(folder, 'nowcast-20260102T030405Z-2.tar'),
    join(folder, 'nowcast-20260102T030405Z-3.tar'),
  ]);
  expect(await readFile(path, 'utf8')).toBe('other');
  expect(await contentOf(published)).toBe('first');
  expect(await readdir(folder)).toHaveLength(3);
});

test('a file that was made meanwhile is not replaced', async () => {
  const path = join(folder, 'mine.tar');
  const archive = await sealed(path, 'first');
  await writeFile(path, 'other');
  await expect(archive.publish({ orNumbered: false })).rejects.toThrow('exists already');
  await archive.discard();
  expect(await readdir(folder)).toEqual(['mine.tar']);
  expect(await readFile(path, 'utf8')).toBe('other');
});

test('what nobody has written to for a day is cleared away, whoever began it', async () => {
  const names = ['a.tar.unfinished-other-host-1', 'a.tar.unfinished-1', 'a.tar'];
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  for (const name of names) {
    await writeFile(join(folder, name), '');
    await utimes(join(folder, name), yesterday, yesterday);
  }
  const archive = await ArchiveWriter.create(join(folder, 'b.tar'), 0);
  await archive.discard();
  expect(await readdir(folder)).toEqual(['a.tar']);
});

test('what a killed backup left is cleared away, what another host is still writing is not', async () => {
  const { pid } = spawnSync('true');
  const here = `a.tar.unfinished-${hostname()}`;
  const names = [`${here}-${pid}`, `${here}-${process.ppid}`, `a.tar.unfinished-other-host-${pid}`];
  for (const name of names) await writeFile(join(folder, name), '');
  const archive = await ArchiveWriter.create(join(folder, 'b.tar'), 0);
  await archive.discard();
  expect((await readdir(folder)).sort()).toEqual(names.slice(1).sort());
});

test('what cannot be cleared away keeps no backup from being made', async () => {
  const { pid } = spawnSync('true');
  // Root may delete the file of another user; a folder of that name nobody may.
  const theirs = `a.tar.unfinished-${hostname()}-${pid}`;
  await mkdir(join(folder, theirs));
  const archive = await sealed(join(folder, 'b.tar'), 'first');
  await archive.publish({ orNumbered: false });
  expect((await readdir(folder)).sort()).toEqual([theirs, 'b.tar']);
});
