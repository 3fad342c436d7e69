import type { MetricInfo } from '@nowcast/contract';
import { describe, expect, it } from 'vitest';
import { makeMetricLookup } from './metric-lookup.ts';

function server(existing: readonly string[]) {
  const asked: string[] = [];
  const lookUp = makeMetricLookup(async (query) => {
    asked.push(query);
    const names = new URLSearchParams(query).getAll('name');
    return names
      .filter((name) => existing.includes(name))
      .map((name) => ({ metric_type: name }) as MetricInfo);
  });
  return { asked, lookUp };
}

describe('metrics by their whole name', () => {
  it('are asked for together when panels ask in one moment, and each hears of its own', async () => {
    const { asked, lookUp } = server(['cpu', 'a&b=c d']);
    const found = await Promise.all(['cpu', 'gone', 'a&b=c d'].map(lookUp));
    expect(found.map((metric) => metric?.metric_type ?? null)).toEqual(['cpu', null, 'a&b=c d']);
    expect(asked).toEqual(['name=cpu&name=gone&name=a%26b%3Dc%20d']);
    await lookUp('cpu');
    expect(asked).toHaveLength(2);
  });

  it('of a hundred panels with the longest names go out in queries that every server takes', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(256, 'ä'));
    const { asked, lookUp } = server(names);
    const found = await Promise.all(names.map(lookUp));
    expect(found.map((metric) => metric?.metric_type)).toEqual(names);
    expect(Math.max(...asked.map((query) => query.length))).toBeLessThan(5000);
  });

  it('that could not be asked for are no metrics that do not exist', async () => {
    const lookUp = makeMetricLookup(() => Promise.reject(new Error('offline')));
    await expect(lookUp('cpu')).rejects.toThrow('offline');
  });
});
