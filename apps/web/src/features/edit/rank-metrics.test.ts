import { describe, expect, it } from 'vitest';
import type { MetricInfo } from '@nowcast/contract';
import { rankMetrics } from './rank-metrics.ts';

const metric = (name: string, labels: string[] = []): MetricInfo => ({
  metric_type: name,
  series: 1,
  last_timestamp: 0,
  last_value: 1,
  default_agg: 'avg',
  default_across: 'merge',
  labels,
});
const names = (search: string, all: MetricInfo[]): string[] =>
  rankMetrics(all, search).map((one) => one.metric_type);

describe('a search for metrics', () => {
  const all = [
    metric('disk_free', ['host', 'cpu']),
    metric('host_cpu'),
    metric('cpu_usage'),
    metric('CPU'),
    metric('clicks'),
  ];

  it('puts the name itself first, then its beginning, its middle, and labels last', () => {
    expect(names('cpu', all)).toEqual(['CPU', 'cpu_usage', 'host_cpu', 'disk_free']);
  });

  it('finds words in any order and prefers names that hold all of them', () => {
    expect(names('cpu host', all)).toEqual(['host_cpu', 'disk_free']);
  });

  it('keeps the order while nothing is searched for', () => {
    expect(names('  ', all)).toEqual(all.map((one) => one.metric_type));
  });
});
