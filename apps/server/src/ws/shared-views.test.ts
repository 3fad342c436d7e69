import { querySchema } from '@nowcast/contract';
import type { LiveViews } from '@nowcast/ports';
import { expect, test } from 'vitest';
import { SharedViews } from './shared-views.ts';

/** Queries that read alike and are spelt differently. */
const spelling = (i: number) =>
  querySchema.parse({ metric_type: 'cpu', window: '15m', step: '1s', where: { host: ['a', `b${i}`] } });

test('of the spellings of one open query a few are remembered, however many a viewer invents', async () => {
  let opens = 0;
  const live: LiveViews = {
    open: async () => {
      opens += 1;
      return { view: 1, epoch: 'e1', agg: 'avg', stepMs: 1000 };
    },
    read: async () => {
      throw new Error('nobody reads');
    },
    close: () => undefined,
    onFrames: () => () => undefined,
  };
  const views = new SharedViews(live, () => 0);
  const keeper = await views.acquire('acme', spelling(0));
  for (let i = 1; i <= 1000; i += 1) views.release(await views.acquire('acme', spelling(i)));
  expect(keeper.keys.length).toBeLessThan(50);
  expect([views.size, opens]).toEqual([1, 1001]);
  // An early one is still known; a late one is asked for again, and is the same view.
  expect(await views.acquire('acme', spelling(1))).toBe(keeper);
  expect(opens).toBe(1001);
  expect(await views.acquire('acme', spelling(1000))).toBe(keeper);
  expect(opens).toBe(1002);
});
