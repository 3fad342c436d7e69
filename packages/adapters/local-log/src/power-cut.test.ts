import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalEventLog } from './local-event-log.ts';
import { storedTexts } from './testing/log-directory.ts';
import { SimulatedDisk } from './testing/simulated-disk.ts';

/** One life of the process: what it sends, and where the power goes. */
const lifeArb = fc.record({
  /** Sizes of the calls; those of one list are made at once and share a group. */
  groups: fc.array(fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 12,
  }),
  cutAt: fc.integer({ min: 1, max: 70 }),
  /** A write at this operation finds the disk full. */
  fullAt: fc.integer({ min: 1, max: 70 }),
  /** Only the process is killed: what it wrote is still there, but not yet safe from the next power cut. */
  isKill: fc.boolean(),
  /** Percentage of the unsynced changes that survive, and the seed of which. */
  keepPercent: fc.integer({ min: 0, max: 100 }),
  seed: fc.integer(),
});

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface History {
  /** Numbers acknowledged while the power was on, in order, and all that were ever sent. */
  acknowledged: number[];
  sent: number;
  /** Everything below this number may have been cut from the log on purpose. */
  cutBelow: number;
}

async function open(disk: SimulatedDisk): Promise<LocalEventLog> {
  const log = new LocalEventLog({ directory: '/log', partitions: 2, segmentBytes: 2500, disk });
  await log.run();
  return log;
}

/** Sends until the power goes; only what was acknowledged before that counts as acknowledged. */
async function live(disk: SimulatedDisk, groups: readonly number[][], history: History): Promise<void> {
  const log = await open(disk);
  for (const [i, group] of groups.entries()) {
    const calls = group.map(async (size) => {
      const n = history.sent++;
      const payload = Buffer.from(`${n}:`.padEnd(size + 12, 'x'));
      await log.append([0, 1].map((partition) => ({ partition, payload })));
      if (!disk.isOff) history.acknowledged.push(n);
    });
    await Promise.allSettled(calls);
    if (i === 6 && !disk.isOff) {
      const stored = (await storedTexts(log, 0)).map((text) => Number.parseInt(text, 10));
      const half = stored[stored.length >> 1];
      const below = log.tail()[0]! + (stored.length >> 1);
      if (half !== undefined) history.cutBelow = half;
      await log.truncate([below, below]).catch(() => undefined);
    }
  }
  await log.stop().catch(() => undefined);
}

async function check(disk: SimulatedDisk, history: History): Promise<void> {
  const log = await open(disk);
  const stored = (await storedTexts(log, 0)).map((text) => Number.parseInt(text, 10));
  expect(await storedTexts(log, 1)).toHaveLength(stored.length);
  expect(stored, 'in order, none twice').toEqual([...new Set(stored)].sort((a, b) => a - b));
  expect(
    stored.every((n) => n < history.sent),
    'only what was sent',
  ).toBe(true);
  const kept = history.acknowledged.filter((n) => n >= history.cutBelow);
  expect(
    kept.filter((n) => !stored.includes(n)),
    'acknowledged and lost',
  ).toEqual([]);
  // From here on these are as good as acknowledged: somebody has seen them.
  history.acknowledged = stored;
  await log.stop();
}

test('whatever sectors and directory entries power cuts lose between kills, nothing acknowledged is lost, doubled or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lifeArb, { minLength: 1, maxLength: 4 }), async (lives) => {
      const disk = new SimulatedDisk();
      const history: History = { acknowledged: [], sent: 0, cutBelow: 0 };
      for (const { groups, cutAt, fullAt, isKill, keepPercent, seed } of lives) {
        const next = random(seed);
        Object.assign(disk, { cutAt, fullAt });
        await live(disk, groups, history).catch((error: unknown) => {
          if (!disk.isOff && disk.operations < fullAt) throw error;
        });
        disk.cutAt = disk.operations; // nothing of this life gets through any more
        if (isKill) disk.restart();
        else disk.powerOn(() => next() * 100 < keepPercent);
        await check(disk, history);
      }
    }),
    { numRuns: 400 },
  );
}, 60_000);
