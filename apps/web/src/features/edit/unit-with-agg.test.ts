import { describe, expect, it } from 'vitest';
import { unitWithAgg } from './unit-with-agg.ts';

describe('the unit of what is calculated', () => {
  it('follows the calculation: points are counted, not timed, and bytes by the second are a rate', () => {
    expect(unitWithAgg('milliseconds', 'request_latency_ms', 'avg', 'count')).toBe('count');
    expect(unitWithAgg('count', 'request_latency_ms', 'count', 'p95')).toBe('milliseconds');
    expect(unitWithAgg('bytes', 'network_bytes', 'sum', 'rate')).toBe('bytes_per_second');
  });

  it('stays where somebody chose another one than the metric has', () => {
    expect(unitWithAgg('eur', 'request_latency_ms', 'avg', 'count')).toBe('eur');
  });
});
