import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogAlarm } from './log-stats.ts';
import {
  copyDirectory,
  openLog,
  segmentPaths,
  storedTexts,
  temporaryDirectory,
} from './testing/log-directory.ts';

const text = (partition: number, value: string) => ({ partition, payload: Buffer.from(value) });

async function overwrite(path: string, position: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.byteLength, position);
  await file.close();
}

async function flipBit(path: string, position: number, bit = position % 8): Promise<void> {
  const byte = (await readFile(path))[position]!;
  await overwrite(path, position, Uint8Array.of(byte ^ (1 << bit)));
}

/** A log of one segment whose last frame, of three partitions, stands at [from, to). */
async function logWithLastFrame(directory: string) {
  const log = await openLog(directory);
  const [path] = await segmentPaths(directory);
  await log.append([text(0, 'first'), text(1, 'first')]);
  await log.append([text(0, 'second')]);
  const from = (await stat(path!)).size;
  await log.append([text(0, 'third'), text(1, 'second'), text(2, 'first')]);
  const to = (await stat(path!)).size;
  await log.stop();
  return { from, to };
}

test.each(['cut off', 'zeroed', 'garbage'] as const)(
  'a last frame %s from any of its bytes on is dropped, whole, and its offsets are used again',
  async (how) => {
    const root = await temporaryDirectory();
    const original = join(root.path, 'original');
    const { from, to } = await logWithLastFrame(original);
    expect(to - from).toBeGreaterThan(80);
    for (let at = from; at < to; at++) {
      const directory = await copyDirectory(original, join(root.path, 'torn'));
      const [path] = await segmentPaths(directory);
      if (how === 'cut off') await truncate(path!, at);
      else await overwrite(path!, at, how === 'zeroed' ? new Uint8Array(to - at) : damaged(to - at));
      const log = await openLog(directory);
      if (how !== 'zeroed') expect(log.head(), `torn at ${at}`).toEqual([2, 1, 0]);
      const isKept = log.head()[0] === 3; // zeroing bytes that were zero changes nothing
      expect(await log.append([text(0, 'again'), text(2, 'again')])).toEqual(isKept ? [3, 1] : [2, 0]);
      await log.stop();
      const after = await openLog(directory);
      expect((await storedTexts(after, 0)).slice(0, 2)).toEqual(['first', 'second']);
      expect((await storedTexts(after, 2)).at(-1)).toBe('again');
      await after.stop();
    }
  },
);

/** Random bytes of which the last differs from what a whole frame ends in. */
function damaged(length: number): Uint8Array {
  const bytes = randomBytes(length);
  bytes[length - 1] = 0;
  return bytes;
}

test('cutting off an unfinished write is reported, an undamaged start is not', async () => {
  const root = await temporaryDirectory();
  const { to } = await logWithLastFrame(root.path);
  const alarms: LogAlarm[] = [];
  const options = { onAlarm: (alarm: LogAlarm) => void alarms.push(alarm) };
  await (await openLog(root.path, options)).stop();
  expect(alarms).toEqual([]);
  const [path] = await segmentPaths(root.path);
  await truncate(path!, to - 1);
  await (await openLog(root.path, options)).stop();
  expect(alarms).toMatchObject([{ kind: 'torn-tail', path }]);
});

test('a flipped bit in any byte of an acknowledged frame refuses the start and names the place', async () => {
  const root = await temporaryDirectory();
  const original = join(root.path, 'original');
  const log = await openLog(original);
  const [path] = await segmentPaths(original);
  const from = (await stat(path!)).size;
  await log.append([text(0, 'damaged'), text(1, 'damaged')]);
  const to = (await stat(path!)).size;
  await log.append([text(0, 'later')]);
  await log.stop();
  for (let at = from; at < to; at++) {
    const directory = await copyDirectory(original, join(root.path, 'flipped'));
    const [copy] = await segmentPaths(directory);
    await flipBit(copy!, at);
    const before = await readFile(copy!);
    await expect(openLog(directory), `bit of byte ${at}`).rejects.toMatchObject({
      code: 'log.failed',
      details: { path: copy, position: from },
    });
    expect(await readFile(copy!)).toEqual(before);
  }
});

test('a flipped bit in any byte of a segment header refuses the start', async () => {
  const root = await temporaryDirectory();
  const original = join(root.path, 'original');
  await logWithLastFrame(original);
  for (let at = 0; at < 32 + 3 * 8; at++) {
    const directory = await copyDirectory(original, join(root.path, 'flipped'));
    const [copy] = await segmentPaths(directory);
    await flipBit(copy!, at);
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'log.failed', details: { position: 0 } });
  }
});

test('damage at the end of an older segment is corruption, not a torn write', async () => {
  const root = await temporaryDirectory();
  const log = await openLog(root.path, { segmentBytes: 1024 });
  for (let i = 0; i < 20; i++) await log.append([text(0, 'x'.repeat(300))]);
  await log.stop();
  const paths = await segmentPaths(root.path);
  expect(paths.length).toBeGreaterThan(2);
  const { size } = await stat(paths[1]!);
  await truncate(paths[1]!, size - 1);
  await expect(openLog(root.path)).rejects.toMatchObject({ code: 'log.failed', details: { path: paths[1] } });
});

test('a whole frame missing at the end of an older segment is noticed by the next one', async () => {
  const root = await temporaryDirectory();
  const log = await openLog(root.path, { segmentBytes: 1024 });
  const [first] = await segmentPaths(root.path);
  await log.append([text(0, 'x'.repeat(600))]);
  const { size } = await stat(first!);
  for (let i = 0; i < 5; i++) await log.append([text(0, 'x'.repeat(600))]);
  await log.stop();
  await truncate(first!, size);
  await expect(openLog(root.path)).rejects.toMatchObject({ code: 'log.failed' });
});

test.each([0, 1])('a missing segment refuses the start (number %i of those kept)', async (which) => {
  const root = await temporaryDirectory();
  const log = await openLog(root.path, { segmentBytes: 512 });
  for (let i = 0; i < 12; i++) await log.append([text(0, 'x'.repeat(300))]);
  await log.truncate([4, 0, 0]);
  await log.stop();
  const paths = await segmentPaths(root.path);
  await rm(paths[which + 1]!);
  await expect(openLog(root.path)).rejects.toMatchObject({
    code: 'log.failed',
    details: { path: paths[which + 1] },
  });
});

test('a log whose segments or whose identity are gone is not silently begun anew', async () => {
  const root = await temporaryDirectory();
  const original = join(root.path, 'original');
  await logWithLastFrame(original);
  const withoutIdentity = await copyDirectory(original, join(root.path, 'a'));
  await rm(join(withoutIdentity, 'log.json'));
  await expect(openLog(withoutIdentity)).rejects.toMatchObject({ code: 'log.failed' });
  const withoutSegments = await copyDirectory(original, join(root.path, 'b'));
  for (const path of await segmentPaths(withoutSegments)) await rm(path);
  await expect(openLog(withoutSegments)).rejects.toMatchObject({ code: 'log.failed' });
});

test('frames of one unfinished group are cut from the first bad one on, even when later ones are whole', async () => {
  const root = await temporaryDirectory();
  const log = await openLog(root.path);
  await log.append([text(0, 'before')]);
  const [path] = await segmentPaths(root.path);
  const from = (await stat(path!)).size;
  const group = ['a', 'b', 'c'].map((value) => log.append([text(0, value)]));
  await Promise.all(group);
  expect(log.stats().fsyncs).toBe(2);
  await log.stop();
  // As after a power cut that kept the blocks of the second and third frame and lost those of the first.
  await overwrite(path!, from + 30, randomBytes(8));
  const after = await openLog(root.path);
  expect(await storedTexts(after, 0)).toEqual(['before']);
  await after.stop();
});

test('first offsets of a new log go on from a restored watermark', async () => {
  const root = await temporaryDirectory();
  const log = await openLog(root.path, { firstOffsets: [7, 2 ** 40, 0] });
  expect(log.tail()).toEqual([7, 2 ** 40, 0]);
  expect(await log.append([text(0, 'a'), text(1, 'b')])).toEqual([7, 2 ** 40]);
  await log.stop();
  const again = await openLog(root.path);
  expect(again.head()).toEqual([8, 2 ** 40 + 1, 0]);
  expect(await storedTexts(again, 1)).toEqual(['b']);
  await again.stop();
});
