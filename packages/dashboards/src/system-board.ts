import type { BoardContent } from '@nowcast/contract';
import { panelsFromRows, type RowDraft } from './panel-builder.ts';

const growth = { agg: 'increase', across: 'sum' } as const;
const latest = { agg: 'last', across: 'sum' } as const;
const worst = { agg: 'max', across: 'max' } as const;

/** What is promised of an event's way to the screen: within 100 ms at half of the maximum load. */
const frameThresholds = [
  { value: 100, level: 'warn' as const },
  { value: 250, level: 'crit' as const },
];
const lagThresholds = [
  { value: 60, level: 'warn' as const },
  { value: 300, level: 'crit' as const },
];

const overview: RowDraft = {
  height: 4,
  panels: [
    {
      title: 'Points taken in',
      metric: 'nowcast_ingest_points',
      chart: 'stat',
      width: 3,
      query: growth,
      display: { unit: 'count', per_second: true, min: 0 },
    },
    {
      title: 'Event to frame, p99',
      metric: 'nowcast_event_to_frame_ms',
      chart: 'stat',
      width: 3,
      query: { ...worst, where: { quantile: ['p99'] } },
      display: { unit: 'milliseconds', decimals: 1, min: 0, thresholds: frameThresholds },
    },
    {
      title: 'Viewers',
      metric: 'nowcast_viewers',
      chart: 'stat',
      width: 3,
      query: latest,
      display: { unit: 'count', decimals: 0, min: 0 },
    },
    {
      title: 'Live views',
      metric: 'nowcast_views',
      chart: 'stat',
      width: 3,
      query: latest,
      display: { unit: 'count', decimals: 0, min: 0 },
    },
  ],
};

const flow: RowDraft = {
  height: 8,
  panels: [
    {
      title: 'Points taken in',
      metric: 'nowcast_ingest_points',
      chart: 'area',
      width: 6,
      query: growth,
      display: { unit: 'count', per_second: true, min: 0, legend: 'none' },
    },
    {
      title: 'Event to frame',
      metric: 'nowcast_event_to_frame_ms',
      chart: 'line',
      width: 6,
      query: { ...worst, group_by: ['quantile'] },
      display: { unit: 'milliseconds', decimals: 1, min: 0, thresholds: frameThresholds },
    },
  ],
};

const freshness: RowDraft = {
  height: 7,
  panels: [
    {
      title: 'Staleness of the slowest viewer',
      metric: 'nowcast_staleness_ms',
      chart: 'line',
      width: 4,
      query: worst,
      display: {
        unit: 'milliseconds',
        min: 0,
        legend: 'none',
        thresholds: [{ value: 1000, level: 'warn' }],
      },
    },
    {
      title: 'Lag of the warehouse',
      metric: 'nowcast_warehouse_lag_seconds',
      chart: 'line',
      width: 4,
      query: worst,
      display: { unit: 'seconds', min: 0, legend: 'none', thresholds: lagThresholds },
    },
    {
      title: 'Written to the log',
      metric: 'nowcast_log_bytes',
      chart: 'area',
      width: 4,
      query: growth,
      display: { unit: 'bytes', per_second: true, min: 0, legend: 'none' },
    },
  ],
};

const resources: RowDraft = {
  height: 7,
  panels: [
    {
      title: 'Processor time',
      metric: 'nowcast_cpu_seconds',
      chart: 'area',
      width: 4,
      query: growth,
      display: { unit: 'seconds', per_second: true, min: 0, legend: 'none' },
    },
    {
      title: 'Memory',
      metric: 'nowcast_rss_bytes',
      chart: 'area',
      width: 4,
      query: { agg: 'avg', across: 'sum' },
      display: { unit: 'bytes', min: 0, legend: 'none' },
    },
    {
      title: 'Viewers',
      metric: 'nowcast_viewers',
      chart: 'line',
      width: 4,
      query: { agg: 'max', across: 'sum' },
      display: { unit: 'count', decimals: 0, min: 0, legend: 'none' },
    },
  ],
};

/** Nowcast watching itself. */
export function systemBoard(): BoardContent {
  return {
    title: 'Nowcast',
    description: 'What this server takes in, stores and shows, and how long that takes.',
    window: '5m',
    shared: true,
    variables: [],
    panels: panelsFromRows([overview, flow, freshness, resources]),
  };
}
