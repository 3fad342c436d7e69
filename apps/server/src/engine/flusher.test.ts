import { MemoryHotStore } from '@nowcast/adapter-memory';
import { SeriesIndex } from '@nowcast/head';
import { ManualClock } from '@nowcast/kernel';
import type { Warehouse } from '@nowcast/ports';
import { expect, test } from 'vitest';
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
