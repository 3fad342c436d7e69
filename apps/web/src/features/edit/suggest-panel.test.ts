import { describe, expect, it } from 'vitest';
import type { LabelValues, MetricInfo } from '@nowcast/contract';
import { suggestGroups, suggestPanel } from './suggest-panel.ts';

const metric = (change: Partial<MetricInfo>): MetricInfo => ({
  metric_type: 'host_cpu_percent',
  series: 4,
  last_timestamp: 0,
  last_value: 1,
  default_agg: 'avg',
  default_across: 'avg',
  labels: ['core', 'mode'],
  ...change,
});
const label = (name: string, count: number): LabelValues => ({
  label: name,
  values: Array.from({ length: count }, (_, i) => ({ value: `${name}${i}`, series: 1 })),
});

describe('a panel suggested for a metric', () => {
  it('groups by the label that tells most series apart and still fits a chart', () => {
    expect(suggestGroups([label('host', 1), label('core', 4), label('mode', 7), label('user', 500)])).toEqual(
      ['mode'],
    );
    expect(suggestGroups([label('host', 1)])).toEqual([]);
  });

  it('takes the aggregate that fits the metric and a unit from its name', () => {
    const panel = suggestPanel(metric({}), [], []);
    expect(panel.query.agg).toBe('avg');
    expect(panel.display.unit).toBe('percent');
    expect(panel.title).toBe('Host CPU');
    expect(panel.chart_type).toBe('line');
  });

  it('shows events as bars and messages as a feed', () => {
    expect(suggestPanel(metric({ metric_type: 'sale', default_agg: 'sum' }), [], []).chart_type).toBe('bar');
    expect(suggestPanel(metric({ default_agg: 'none' }), [], []).chart_type).toBe('feed');
  });

  it('draws parts of a whole stacked, and a whole alone as an area', () => {
    const held = metric({ metric_type: 'memory_bytes', default_across: 'sum' });
    expect(suggestPanel(held, [], []).chart_type).toBe('area');
    expect(suggestPanel(held, [label('kind', 4)], []).chart_type).toBe('stacked');
  });

  it('stands beside the panels that are there', () => {
    const first = suggestPanel(metric({}), [], []);
    expect(suggestPanel(metric({}), [], [first]).layout).toEqual({ x: 6, y: 0, w: 6, h: 8 });
  });
});
