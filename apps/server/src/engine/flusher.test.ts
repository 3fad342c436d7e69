import { MemoryHotStore } from '@nowcast/adapter-memory';
import { SeriesIndex } from '@nowcast/head';
import { ManualClock } from '@nowcast/kernel';
import type { Warehouse } from '@nowcast/ports';
import { expect, test, vi } from 'vitest';
import { Flusher } from './flusher.ts';
import { PartitionState } from './partition-state.ts';

test('F7: a server that stops does not wait for the next try of a flush that just failed', async () => {
  let fail: (error: Error) => void = () => undefined;
  const inserting = Promise.withResolvers<void>();
  const warehouse: Pick<Warehouse, 'insertFlush' | 'commit'> = {
    insertFlush: () =>
      new Promise((_resolve, reject) => {
        fail = reject;
        inserting.resolve();
      }),
    commit: () => Promise.reject(new Error('nothing was inserted')),
  };
  const state = new PartitionState(0, 0, 0);
  state.applyFlush(0, 1000);
  const flusher = new Flusher({
    states: [state],
    index: new SeriesIndex(1),
    warehouse,
    hot: new MemoryHotStore({ budgetRows: 10, keepMs: 1000 }),
    // Nobody moves it: whoever waits for it waits for ever.
    clock: new ManualClock(),
    log: () => undefined,
    committed: () => Promise.resolve(),
  });
  flusher.kick();
  await inserting.promise;
  const stopped = flusher.stop();
  fail(new Error('the warehouse is gone'));
  await stopped;
  expect([flusher.failures, state.pending.length]).toEqual([1, 1]);
});

test('partitions take turns: one whose flush fails does not keep the others from theirs', async () => {
  const states = [0, 1, 2].map((partition) => new PartitionState(partition, 0, 0));
  for (const state of states) for (let mark = 0; mark < 3; mark++) state.applyFlush(mark, 1000);
  const clock = new ManualClock();
  const warehouse: Pick<Warehouse, 'insertFlush' | 'commit'> = {
    insertFlush: ({ partition }) =>
      partition === 0 ? Promise.reject(new Error('this one never goes in')) : Promise.resolve(),
    commit: () => Promise.resolve(),
  };
  const flusher = new Flusher({
    states,
    index: new SeriesIndex(3),
    warehouse,
    hot: new MemoryHotStore({ budgetRows: 10, keepMs: 1000 }),
    clock,
    log: () => undefined,
    committed: () => Promise.resolve(),
  });
  flusher.kick();
  await vi.waitUntil(
    () => {
      clock.advance(60_000);
      return states.every(({ pending, tail }) => pending.length === (tail.partition === 0 ? 3 : 0));
    },
    { timeout: 60_000 },
  );
  const stopped = flusher.stop();
  clock.advance(60_000);
  await stopped;
  expect(flusher.failures).toBeGreaterThan(0);
});
