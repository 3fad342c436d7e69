import {
  type BoardContent,
  boardContentSchema,
  defaultsFor,
  type MetricInfo,
  titleOf,
} from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostBoard } from './host-board.ts';
import { boardFromMetrics } from './metrics-board.ts';
import { systemBoard } from './system-board.ts';

const collected = new Set([
  'cpu_usage',
  'load_average',
  'memory_bytes',
  'swap_bytes',
  'disk_io_bytes',
  'disk_space_bytes',
  'network_bytes',
  'process_count',
]);
const ownMetrics = new Set([
  'nowcast_ingest_points',
  'nowcast_log_bytes',
  'nowcast_views',
  'nowcast_viewers',
  'nowcast_warehouse_lag_seconds',
  'nowcast_event_to_frame_ms',
  'nowcast_rss_bytes',
  'nowcast_cpu_seconds',
  'nowcast_staleness_ms',
]);

function metric(name: string, change: Partial<MetricInfo> = {}): MetricInfo {
  const { default_agg, default_across } = defaultsFor(name);
  return {
    metric_type: name,
    series: 1,
    last_timestamp: 1000,
    last_value: 1,
    default_agg,
    default_across,
    labels: [],
    ...change,
  };
}

/** Every cell of the grid belongs to at most one panel, and a row that begins is filled to the last column. */
function expectTidy(board: BoardContent): void {
  expect(boardContentSchema.parse(structuredClone(board))).toEqual(board);
  const ids = board.panels.map((panel) => panel.visualization_id);
  expect(new Set(ids).size).toBe(ids.length);
  const rows = new Map<number, number[]>();
  for (const { layout } of board.panels)
    for (let y = layout.y; y < layout.y + layout.h; y += 1) {
      const row = rows.get(y) ?? [];
      for (let x = layout.x; x < layout.x + layout.w; x += 1) row.push(x);
      rows.set(y, row);
    }
  for (const row of rows.values()) expect(row).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  for (const { chart_type: chart, layout } of board.panels)
    expect(layout.h).toBeGreaterThanOrEqual(chart === 'stat' ? 4 : 6);
}

describe('the host board', () => {
  it('is valid, fills its grid and shows every metric of the collector', () => {
    const board = hostBoard('web-1', { memoryBytes: 16e9, cores: 4 });
    expectTidy(board);
    expectTidy(hostBoard(''));
    expect(board.title).toBe('web-1');
    expect(board.variables).toMatchObject([{ label: 'host', selected: ['web-1'] }]);
    expect(new Set(board.panels.map((panel) => panel.metric_type))).toEqual(collected);
  });

  it('never adds the busy share or the total of all cores to the modes', () => {
    const stacked = hostBoard('web-1').panels.filter((panel) => panel.chart_type === 'stacked');
    const modes = stacked.find((panel) => panel.metric_type === 'cpu_usage');
    expect(modes?.query).toMatchObject({
      group_by: ['mode'],
      where: { cpu: ['total'], mode: { not: ['idle', 'busy'] } },
    });
    const memory = stacked.find((panel) => panel.metric_type === 'memory_bytes');
    expect(memory?.query.where['kind']).toEqual(['used', 'buffers', 'cached', 'free']);
  });

  it('ends the dial of memory at what the machine has', () => {
    const dial = (board: BoardContent) => board.panels.find((panel) => panel.chart_type === 'gauge')?.display;
    expect(dial(hostBoard('a', { memoryBytes: 1000 }))).toMatchObject({
      max: 1000,
      thresholds: [
        { value: 850, level: 'warn' },
        { value: 950, level: 'crit' },
      ],
    });
    expect(dial(hostBoard('a'))?.max).toBeUndefined();
  });
});

describe('the system board', () => {
  it('is valid, fills its grid and shows every figure the server measures of itself', () => {
    const board = systemBoard();
    expectTidy(board);
    expect(new Set(board.panels.map((panel) => panel.metric_type))).toEqual(ownMetrics);
  });
});

describe('a board made of metrics', () => {
  it('is valid and fills its grid for any number of metrics with any names', () => {
    const info = fc
      .record({
        metric_type: fc.string({ minLength: 1, maxLength: 256 }),
        series: fc.nat(50),
        last_timestamp: fc.nat(),
        labels: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 128 }), { maxLength: 5 }),
      })
      .map((change) => metric(change.metric_type, change));
    fc.assert(
      fc.property(fc.array(info, { maxLength: 40 }), fc.string({ maxLength: 200 }), (metrics, title) => {
        expectTidy(boardFromMetrics(metrics, { title }));
      }),
    );
  });

  it('combines and draws each metric as fits it, split by the label that tells its series apart', () => {
    const board = boardFromMetrics(
      [
        metric('orders', { last_timestamp: 3 }),
        metric('latency_ms', { series: 4, labels: ['source', 'zone', 'region'], last_timestamp: 2 }),
        metric('sent_bytes', { series: 3, labels: ['device'], last_timestamp: 1 }),
      ],
      { title: 'Shop', source: 'edge' },
    );
    expect(board.panels.map((panel) => [panel.title, panel.chart_type, panel.query.agg])).toEqual([
      ['Orders', 'stat', 'sum'],
      ['Latency', 'stat', 'p95'],
      ['Sent', 'stat', 'increase'],
      ['Orders', 'bar', 'sum'],
      ['Latency', 'line', 'p95'],
      ['Sent', 'stacked', 'increase'],
    ]);
    expect(board.panels[4]?.query.group_by).toEqual(['region']);
    expect(board.panels[5]).toMatchObject({
      query: { group_by: ['device'], across: 'sum' },
      display: { unit: 'bytes', per_second: true },
    });
    expect(board.variables).toMatchObject([{ label: 'source', selected: ['edge'] }]);
  });

  it('shows what the catalog has seen when the name says something else', () => {
    const seen = metric('widgets', { default_agg: 'increase', default_across: 'sum' });
    expect(boardFromMetrics([seen]).panels.at(-1)).toMatchObject({
      chart_type: 'area',
      display: { per_second: true },
    });
    const feed = boardFromMetrics([metric('log', { default_agg: 'none' })]);
    expect(feed.panels.map((panel) => panel.chart_type)).toEqual(['feed']);
  });

  it.each([
    ['http_requests_total', 'HTTP requests'],
    ['cpuUsage', 'CPU usage'],
    ['total', 'Total'],
    ['***', '***'],
  ])('calls %s "%s"', (name, title) => {
    expect(titleOf(name)).toBe(title);
  });
});
