import type { QueryInput } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { overviewPaths, readOverview, type Read } from './read-overview.ts';

const now = 1_800_000_000_000;
const dayMs = 86_400_000;
const query: QueryInput = { metric_type: 'm', window: '15m', group_by: ['host'], limit: 20 };

/** A server that has a point a minute since `startMs` and answers in at most 500 buckets. */
function server(startMs: number): { read: Read; spans: number[] } {
  const spans: number[] = [];
  const read: Read = (asked, { from, to }) => {
    expect(asked).toEqual({ metric_type: 'm', group_by: [] });
    spans.push(to - from);
    const step = Math.max(60_000, Math.ceil((to - from) / 500));
    const timestamp: number[] = [];
    for (let at = Math.floor(from / step) * step; at < to; at += step) timestamp.push(at);
    const value = timestamp.map((at) => (at + step > startMs ? 1 : null));
    return Promise.resolve({ series: [{ labels: {}, timestamp, value }] });
  };
  return { read, spans };
}

describe('everything that is stored', () => {
  test.each([
    ['three years', 3 * 366 * dayMs],
    ['a month', 30 * dayMs],
    ['an hour', 3_600_000],
  ])('%s: a few looks find the beginning', async (_, age) => {
    const { read, spans } = server(now - age);
    const found = await readOverview(query, now, read);
    expect(spans.length).toBeLessThanOrEqual(5);
    expect(found!.whole.to).toBe(now);
    const size = now - found!.whole.from;
    expect(size).toBeGreaterThanOrEqual(age);
    expect(size).toBeLessThanOrEqual(Math.max(1.15 * age, age + 60_000));
  });

  test('what began just now is shown over a quarter of an hour', async () => {
    const found = await readOverview(query, now, server(now - 5000).read);
    expect(found!.whole).toEqual({ from: now - 15 * 60_000, to: now });
  });

  test('nothing is null', async () => {
    expect(await readOverview(query, now, () => Promise.resolve({ series: [] }))).toBeNull();
  });
});

test('the line breaks where nothing was, and a bucket that is alone is seen', () => {
  const minutes = [0, 1, 2, 30, 60, 61].map((minute) => minute * 60_000);
  const data = { whole: { from: 0, to: 3_660_000 }, times: minutes, values: [1, 2, 3, 4, null, 5] };
  const { line, area } = overviewPaths(data);
  expect(line.match(/M/g)).toHaveLength(3);
  expect(area.match(/Z/g)).toHaveLength(3);
  expect(line).toContain('M491.8 24.0L493.3 24.0');
});
