import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultsFor, unitFor } from './metric-defaults.ts';

/** metric, agg, across, unit */
const cases: [string, string, string, string][] = [
  ['cpu_usage', 'avg', 'merge', 'percent'],
  ['load_average', 'avg', 'merge', 'none'],
  ['memory_bytes', 'avg', 'sum', 'bytes'],
  ['swap_bytes', 'avg', 'sum', 'bytes'],
  ['disk_io_bytes', 'increase', 'sum', 'bytes'],
  ['disk_space_bytes', 'avg', 'sum', 'bytes'],
  ['network_bytes', 'increase', 'sum', 'bytes'],
  ['process_count', 'avg', 'sum', 'count'],
  ['nowcast_ingest_points', 'increase', 'sum', 'count'],
  ['nowcast_log_bytes', 'increase', 'sum', 'bytes'],
  ['nowcast_cpu_seconds', 'increase', 'sum', 'seconds'],
  ['nowcast_rss_bytes', 'avg', 'sum', 'bytes'],
  ['nowcast_views', 'avg', 'sum', 'count'],
  ['nowcast_viewers', 'avg', 'sum', 'count'],
  ['nowcast_warehouse_lag_seconds', 'max', 'merge', 'seconds'],
  ['nowcast_event_to_frame_ms', 'max', 'merge', 'milliseconds'],
  ['nowcast_staleness_ms', 'max', 'merge', 'milliseconds'],
  ['http_requests_total', 'increase', 'sum', 'count'],
  ['process_cpu_seconds_total', 'increase', 'sum', 'seconds'],
  ['node_network_receive_bytes_total', 'increase', 'sum', 'bytes'],
  ['node_memory_total_bytes', 'avg', 'sum', 'bytes'],
  ['http.server.request.duration', 'p95', 'merge', 'milliseconds'],
  ['request_latency_seconds', 'p95', 'merge', 'seconds'],
  ['pageLoadTime', 'p95', 'merge', 'milliseconds'],
  ['disk_used_percent', 'avg', 'merge', 'percent'],
  ['cache_hit_ratio', 'avg', 'merge', 'ratio'],
  ['error_rate', 'avg', 'merge', 'none'],
  ['requests_per_second', 'avg', 'sum', 'per_second'],
  ['sales', 'sum', 'merge', 'none'],
  ['order_amount_eur', 'sum', 'merge', 'eur'],
  ['revenueUSD', 'sum', 'merge', 'usd'],
  ['page_views', 'sum', 'merge', 'count'],
  ['click', 'sum', 'merge', 'count'],
  ['active_users', 'avg', 'sum', 'count'],
  ['queue_depth', 'avg', 'sum', 'count'],
  ['room temperature', 'avg', 'merge', 'celsius'],
  ['cpu_temp', 'avg', 'merge', 'celsius'],
  ['temp_files', 'avg', 'merge', 'none'],
  ['cache_kb', 'avg', 'sum', 'none'],
  ['link_bits_per_second', 'avg', 'sum', 'bits_per_second'],
  ['login_attempts', 'sum', 'merge', 'count'],
  ['exhibits', 'avg', 'merge', 'none'],
  ['clock_mhz', 'avg', 'merge', 'none'],
  ['humidity', 'avg', 'merge', 'none'],
  ['uptime', 'max', 'merge', 'seconds'],
  ['', 'avg', 'merge', 'none'],
];

describe('defaultsFor', () => {
  it.each(cases)('combines %j as %s across %s in %s', (metric, agg, across, unit) => {
    expect(defaultsFor(metric)).toMatchObject({ default_agg: agg, default_across: across, unit });
  });

  it('believes the values when the name says nothing, but not against a name that says it is a level', () => {
    expect(defaultsFor('widgets')).toMatchObject({ default_agg: 'avg' });
    expect(defaultsFor('widgets', { looksLikeCounter: true })).toMatchObject({ default_agg: 'increase' });
    expect(defaultsFor('requests', { looksLikeCounter: true })).toMatchObject({ default_agg: 'increase' });
    expect(defaultsFor('memory_used_bytes', { looksLikeCounter: true })).toMatchObject({
      default_agg: 'avg',
    });
    expect(defaultsFor('network_bytes', { looksLikeCounter: false })).toMatchObject({ default_agg: 'avg' });
  });

  it('shows counters per second and nothing else', () => {
    for (const [metric, agg] of cases) expect(defaultsFor(metric).per_second).toBe(agg === 'increase');
  });

  it('answers every name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (metric) => {
        expect(defaultsFor(metric).default_agg).toBeTypeOf('string');
      }),
    );
    expect(defaultsFor('__proto__')).toMatchObject({ default_agg: 'avg' });
    expect(defaultsFor('constructor')).toMatchObject({ default_agg: 'avg' });
  });
});

describe('unitFor', () => {
  it('counts where points or users are counted, whatever they measure', () => {
    expect(unitFor('memory_bytes', 'count')).toBe('count');
    expect(unitFor('request_latency_ms', 'uniques')).toBe('count');
  });

  it('divides by time where a rate is asked for', () => {
    expect(unitFor('network_bytes', 'rate')).toBe('bytes_per_second');
    expect(unitFor('clicks', 'rate')).toBe('per_second');
    expect(unitFor('cpu_seconds_total', 'rate')).toBe('ratio');
  });

  it('invents no currency', () => {
    for (const name of ['sales', 'price', 'order_amount', 'revenue'])
      expect(unitFor(name, 'sum')).toBe('none');
    expect(unitFor('price_in_eur', 'avg')).toBe('eur');
  });
});
