import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppError } from '@nowcast/kernel';
import { expect, test } from 'vitest';
import { nodeDisk } from './disk.ts';
import type { LocalEventLog } from './local-event-log.ts';
import type { LogAlarm } from './log-stats.ts';
import { type FaultKind, FaultyDisk } from './testing/faulty-disk.ts';
import { openLog, storedTexts, temporaryDirectory } from './testing/log-directory.ts';

const calls = 24;
const segmentBytes = 1500;
const entriesOf = (i: number) =>
  [0, 1].map((partition) => ({
    partition,
    payload: Buffer.from(`${i}`.padEnd(i % 5 === 0 ? 2500 : 40, '.')),
  }));

interface Outcome {
  /** Numbers of the calls, by what their sender was told. */
  acknowledged: number[];
  codes: Set<string>;
}

/** Sends single calls and pairs, cutting the log in between; the sender of a refused call goes on with the next. */
async function drive(log: LocalEventLog, outcome: Outcome): Promise<void> {
  const send = async (i: number): Promise<void> => {
    try {
      await log.append(entriesOf(i));
      outcome.acknowledged.push(i);
    } catch (error) {
      outcome.codes.add(isAppError(error) ? error.code : String(error));
    }
  };
  for (let i = 0; i < calls; i += 2) {
    await (i % 4 === 0 ? Promise.all([send(i), send(i + 1)]) : send(i).then(() => send(i + 1)));
    if (i === 12) await log.truncate([2, 2, 0]).catch(() => undefined);
  }
}

async function runWithFault(directory: string, faulty: FaultyDisk, outcome: Outcome): Promise<void> {
  const log = await openLog(directory, { disk: faulty.disk, segmentBytes }).catch((error: unknown) => {
    if (faulty.fired === undefined) throw error;
  });
  if (log === undefined) return;
  await drive(log, outcome);
  await log.stop().catch((error: unknown) => {
    if (faulty.fired === undefined) throw error;
  });
}

/** What a fresh start finds: consecutive offsets, both partitions alike, nothing lost, nothing twice, in order. */
async function checkStored(directory: string, acknowledged: readonly number[], what: string): Promise<void> {
  const log = await openLog(directory, { segmentBytes });
  const [a, b] = [await storedTexts(log, 0), await storedTexts(log, 1)];
  const stored = a.map((entry) => Number.parseInt(entry, 10));
  expect(b.slice(b.length - a.length), what).toEqual(a.slice(a.length - b.length));
  expect(stored, what).toEqual([...new Set(stored)].sort((x, y) => x - y));
  const cut = log.tail()[0]!;
  expect(stored, what).toEqual(expect.arrayContaining(acknowledged.slice(Math.min(cut, 2))));
  expect(await log.append(entriesOf(99)), what).toEqual([cut + a.length, log.tail()[1]! + b.length]);
  await log.stop();
}

test.each(['EIO', 'ENOSPC', 'short write'] as const satisfies FaultKind[])(
  'whichever single I/O fails (%s), acknowledged ⊆ stored ⊆ sent after a restart, in order and once each',
  async (kind) => {
    const root = await temporaryDirectory();
    const fired = new Set<string>();
    for (let failAt = 1; ; failAt++) {
      const directory = join(root.path, `${failAt}`);
      const faulty = new FaultyDisk(nodeDisk, { failAt, kind });
      const outcome: Outcome = { acknowledged: [], codes: new Set() };
      await runWithFault(directory, faulty, outcome);
      const what = `${kind} at operation ${failAt} (${faulty.fired ?? 'none'})`;
      await checkStored(directory, outcome.acknowledged, what);
      if (faulty.fired !== undefined) fired.add(faulty.fired);
      if (kind === 'ENOSPC' && faulty.fired === 'write') {
        expect(
          [...outcome.codes].filter((code) => code !== 'log.full'),
          what,
        ).toEqual([]);
      }
      if (kind === 'short write') expect(outcome.codes, what).toEqual(new Set());
      if (failAt > faulty.operations) {
        expect(outcome.acknowledged).toHaveLength(calls);
        break;
      }
    }
    expect(fired).toContain('write');
    if (kind !== 'short write')
      expect([...fired]).toEqual(expect.arrayContaining(['fdatasync', 'open', 'rename']));
  },
);

test('F2: a start that finds the disk full names the folder and what to do, at whichever operation', async () => {
  const root = await temporaryDirectory();
  const whole = new FaultyDisk(nodeDisk, { failAt: Infinity, kind: 'ENOSPC' });
  await (await openLog(join(root.path, 'whole'), { disk: whole.disk })).stop();
  for (let failAt = 1; failAt <= whole.operations; failAt++) {
    const directory = join(root.path, `${failAt}`);
    const { disk } = new FaultyDisk(nodeDisk, { failAt, kind: 'ENOSPC' });
    await expect(openLog(directory, { disk }), `operation ${failAt}`).rejects.toMatchObject({
      code: 'log.full',
      message: `the disk of ${directory} is full: free some space, then start again`,
    });
  }
});

test('a folder that cannot be locked is not said to be in use', async () => {
  const { path } = await temporaryDirectory();
  await mkdir(join(path, 'lock'));
  await expect(openLog(path)).rejects.toMatchObject({
    code: 'log.failed',
    message: `${path} cannot be locked (unable to open database file): check its disk, and who may write there`,
  });
});

test('F3: after a failed fdatasync nothing is acknowledged until a restart, which cuts what was not certain', async () => {
  const root = await temporaryDirectory();
  const alarms: LogAlarm[] = [];
  const faulty = new FaultyDisk(nodeDisk, { failAt: 2, kind: 'EIO', on: 'fdatasync' });
  const broken = await openLog(root.path, { disk: faulty.disk, onAlarm: (alarm) => void alarms.push(alarm) });
  await broken.append([{ partition: 0, payload: Buffer.from('certain') }]);
  const queued = ['doubtful', 'behind'].map((text) =>
    broken.append([{ partition: 0, payload: Buffer.from(text) }]),
  );
  const late = broken.append([{ partition: 0, payload: Buffer.from('late') }]);
  for (const call of [...queued, late]) await expect(call).rejects.toMatchObject({ code: 'log.failed' });
  expect(faulty.fired).toBe('fdatasync');
  expect(alarms).toMatchObject([{ kind: 'failed' }]);
  await expect(broken.append([{ partition: 0, payload: Buffer.from('x') }])).rejects.toMatchObject({
    code: 'log.failed',
  });
  expect(broken.stats().failed).toBe(true);
  expect(await storedTexts(broken, 0)).toEqual(['certain']);
  await broken.stop();

  const restarted = await openLog(root.path);
  expect(await storedTexts(restarted, 0)).toEqual(['certain']);
  expect(restarted.stats().segments).toBe(2);
  expect(await restarted.append([{ partition: 0, payload: Buffer.from('again') }])).toEqual([1]);
  await restarted.stop();
});

test('a bound on waiting bytes refuses further calls with ingest.busy and disturbs nobody else', async () => {
  const root = await temporaryDirectory();
  const log = await openLog(root.path, { maxQueuedBytes: 100_000 });
  const payload = Buffer.alloc(30_000, 1);
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, async () => log.append([{ partition: 0, payload }])),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(7);
  expect(refused.every(({ reason }) => isAppError(reason) && reason.code === 'ingest.busy')).toBe(true);
  expect(log.queuedBytes).toBe(0);
  expect(await log.append([{ partition: 0, payload: Buffer.alloc(200_000) }])).toEqual([3]);
  await log.stop();
});
