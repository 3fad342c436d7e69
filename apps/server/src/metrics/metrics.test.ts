import { describe, expect, test } from 'vitest';
import { Histogram, quantileBetween } from './histogram.ts';
import { PrometheusText } from './prometheus.ts';

describe('histograms', () => {
  test('a value on a bound belongs to it, one above the last to +Inf', () => {
    const histogram = new Histogram([1, 10]);
    for (const value of [0.5, 1, 1.1, 10, 11]) histogram.observe(value);
    expect(histogram.snapshot()).toEqual({ bounds: [1, 10], counts: [2, 2, 1], sum: 23.6 });
  });

  test('quantiles are of what came between two snapshots', () => {
    const histogram = new Histogram([10, 20, 40]);
    for (let i = 0; i < 100; i++) histogram.observe(5);
    const before = histogram.snapshot();
    expect(quantileBetween(before, before, 0.5)).toBeUndefined();
    for (let i = 0; i < 10; i++) histogram.observe(30);
    expect(quantileBetween(before, histogram.snapshot(), 0.5)).toBe(30);
    for (let i = 0; i < 1000; i++) histogram.observe(99);
    expect(quantileBetween(before, histogram.snapshot(), 0.99)).toBe(40);
  });
});

test('the Prometheus text: one TYPE a family, cumulative buckets, escaped labels', () => {
  const text = new PrometheusText();
  const histogram = new Histogram([1, 2]);
  histogram.observe(0.5);
  histogram.observe(5);
  text.counter('things_total', 3, { path: 'a"b\\c\nd' });
  text.histogram('delay_ms', histogram.snapshot());
  text.counter('things_total', 4);
  text.gauge('broken', Number.NaN);
  expect(text.toString()).toBe(
    [
      '# TYPE nowcast_things_total counter',
      'nowcast_things_total{path="a\\"b\\\\c\\nd"} 3',
      'nowcast_things_total 4',
      '# TYPE nowcast_delay_ms histogram',
      'nowcast_delay_ms_bucket{le="1"} 1',
      'nowcast_delay_ms_bucket{le="2"} 1',
      'nowcast_delay_ms_bucket{le="+Inf"} 2',
      'nowcast_delay_ms_sum 5.5',
      'nowcast_delay_ms_count 2',
      '# TYPE nowcast_broken gauge',
      'nowcast_broken NaN',
      '',
    ].join('\n'),
  );
});
