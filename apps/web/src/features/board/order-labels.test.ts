import { describe, expect, it } from 'vitest';
import type { MetricInfo } from '@nowcast/contract';
import { orderLabels } from './order-labels.ts';

const metric = (name: string, labels: string[]): MetricInfo => ({
  metric_type: name,
  series: 1,
  last_timestamp: 0,
  last_value: 1,
  default_agg: 'avg',
  default_across: 'merge',
  labels,
});

describe('labels that a filter offers', () => {
  const metrics = [
    metric('orders', ['shop', 'region']),
    metric('revenue', ['region']),
    metric('cpu', ['core']),
  ];
  const known = ['core', 'region', 'shop', 'source'];

  it('begin with those of the metrics in view, the most common first', () => {
    expect(orderLabels(known, metrics, ['orders', 'revenue'])).toEqual(['region', 'shop', 'source', 'core']);
  });

  it('begin with the source where nothing is known of what is in view', () => {
    expect(orderLabels(known, metrics, [])).toEqual(['source', 'core', 'region', 'shop']);
    expect(orderLabels([], [], ['orders'])).toEqual(['source']);
  });
});
