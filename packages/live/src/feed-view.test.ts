import { normaliseQuery } from '@nowcast/aggregate';
import { decodeSnapshotBody, querySchema } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import { describe, expect, it } from 'vitest';
import { FeedView } from './feed-view.ts';
import { FakeEngine } from './testing/fake-engine.ts';

const now = 1_800_000_000_000;

async function setUp() {
  const engine = new FakeEngine(new ManualClock(now));
  const query = querySchema.parse({ metric_type: 'm', agg: 'none', window: '1m', limit: 200 });
  const feed = new FeedView('t', normaliseQuery(query, now), engine);
  await feed.load(engine.at);
  const add = (handle: number, timestamp: number): void => {
    const run = { timestamps: Float64Array.of(timestamp), values: Float64Array.of(handle) };
    feed.addSeries(handle, { tenant: 't', metric_type: 'm', source: 's', labels: [] });
    feed.addRun(handle, { from: 0, to: 1, ...run, receivedAt: Float64Array.of(now) });
  };
  return { feed, add };
}

describe('a feed', () => {
  // Points of one time outlive every look for older ones; a look at each series cost a minute for fifty thousand.
  it('takes in a batch whose series all share one timestamp in a time that grows with them, not with their square', async () => {
    const { feed, add } = await setUp();
    const begun = performance.now();
    for (let handle = 0; handle < 40_000; handle += 1) add(handle, now);
    expect(performance.now() - begun).toBeLessThan(3000);
    feed.settle(now);
    expect(decodeSnapshotBody(feed.snapshot('')).points).toHaveLength(200);
  });

  it('shows the newest of a batch, however many older ones came with them', async () => {
    const { feed, add } = await setUp();
    for (let i = 0; i < 3000; i += 1) add(i, now - 10_000 + i);
    for (let i = 0; i < 3000; i += 1) add(i, now - 20_000);
    feed.settle(now);
    const times = decodeSnapshotBody(feed.snapshot('')).points?.map(({ timestamp }) => timestamp);
    expect(times).toEqual(Array.from({ length: 200 }, (_, i) => now - 10_000 + 2800 + i));
  });
});
