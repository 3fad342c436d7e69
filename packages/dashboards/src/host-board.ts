import type { BoardContent } from '@nowcast/contract';
import { panelsFromRows, type RowDraft } from './panel-builder.ts';

/** What is known of the machine beforehand: it gives the gauges their ends and the thresholds their meaning. */
export interface HostFacts {
  /** Bytes of main memory. */
  memoryBytes?: number;
  /** Logical processors. */
  cores?: number;
}

const statRows = 4;
const chartRows = 8;

const busyThresholds = [
  { value: 80, level: 'warn' as const },
  { value: 95, level: 'crit' as const },
];
const percent = { unit: 'percent' as const, min: 0, max: 100 };
/** Growth of byte counters, drawn per second. */
const traffic = { agg: 'increase', across: 'sum' } as const;
const physicalInterfaces = { interface: { not: ['lo'] } };

function loadThresholds(cores: number | undefined) {
  if (cores === undefined) return [];
  return [
    { value: cores, level: 'warn' as const },
    { value: 2 * cores, level: 'crit' as const },
  ];
}

function memoryDial(bytes: number | undefined) {
  if (bytes === undefined) return { unit: 'bytes' as const, min: 0 };
  return {
    unit: 'bytes' as const,
    min: 0,
    max: bytes,
    thresholds: [
      { value: Math.round(bytes * 0.85), level: 'warn' as const },
      { value: Math.round(bytes * 0.95), level: 'crit' as const },
    ],
  };
}

function overviewRow(facts: HostFacts): RowDraft {
  return {
    height: statRows,
    panels: [
      {
        title: 'CPU busy',
        metric: 'cpu_usage',
        chart: 'stat',
        width: 3,
        query: { agg: 'avg', across: 'avg', where: { cpu: ['total'], mode: ['busy'] } },
        display: { ...percent, decimals: 1, thresholds: busyThresholds },
      },
      {
        title: 'Load, 1 minute',
        metric: 'load_average',
        chart: 'stat',
        width: 3,
        query: { agg: 'avg', across: 'avg', where: { period: ['1m'] } },
        display: { decimals: 2, min: 0, thresholds: loadThresholds(facts.cores) },
      },
      {
        title: 'Memory used',
        metric: 'memory_bytes',
        chart: 'stat',
        width: 3,
        query: { agg: 'avg', across: 'sum', where: { kind: ['used'] } },
        display: memoryDial(facts.memoryBytes),
      },
      {
        title: 'Received',
        metric: 'network_bytes',
        chart: 'stat',
        width: 3,
        query: { ...traffic, where: { direction: ['in'], ...physicalInterfaces } },
        display: { unit: 'bytes', per_second: true, min: 0 },
      },
    ],
  };
}

function processorRows(facts: HostFacts): RowDraft[] {
  return [
    {
      height: chartRows,
      panels: [
        {
          title: 'CPU by mode',
          metric: 'cpu_usage',
          chart: 'stacked',
          width: 8,
          query: {
            agg: 'avg',
            across: 'avg',
            group_by: ['mode'],
            where: { cpu: ['total'], mode: { not: ['idle', 'busy'] } },
          },
          display: { ...percent, decimals: 1 },
        },
        {
          title: 'Memory used',
          metric: 'memory_bytes',
          chart: 'gauge',
          width: 4,
          query: { agg: 'avg', across: 'sum', where: { kind: ['used'] } },
          display: memoryDial(facts.memoryBytes),
        },
      ],
    },
    {
      height: chartRows,
      panels: [
        {
          title: 'Cores',
          metric: 'cpu_usage',
          chart: 'line',
          width: 6,
          query: {
            agg: 'avg',
            across: 'avg',
            group_by: ['cpu'],
            where: { cpu: { not: ['total'] }, mode: ['busy'] },
            limit: 16,
          },
          display: { ...percent, decimals: 0 },
        },
        {
          title: 'Load average',
          metric: 'load_average',
          chart: 'line',
          width: 6,
          query: { agg: 'avg', across: 'avg', group_by: ['period'] },
          display: { decimals: 2, min: 0, thresholds: loadThresholds(facts.cores) },
        },
      ],
    },
  ];
}

const memoryRow: RowDraft = {
  height: chartRows,
  panels: [
    {
      title: 'Memory',
      metric: 'memory_bytes',
      chart: 'stacked',
      width: 8,
      query: {
        agg: 'avg',
        across: 'sum',
        group_by: ['kind'],
        where: { kind: ['used', 'buffers', 'cached', 'free'] },
      },
      display: { unit: 'bytes', min: 0 },
    },
    {
      title: 'Swap used',
      metric: 'swap_bytes',
      chart: 'area',
      width: 4,
      query: { agg: 'avg', across: 'sum', where: { kind: ['used'] } },
      display: { unit: 'bytes', min: 0 },
    },
  ],
};

const trafficRow: RowDraft = {
  height: chartRows,
  panels: [
    {
      title: 'Network',
      metric: 'network_bytes',
      chart: 'line',
      width: 6,
      query: { ...traffic, group_by: ['interface', 'direction'], where: physicalInterfaces, limit: 12 },
      display: { unit: 'bytes', per_second: true, min: 0 },
    },
    {
      title: 'Disk I/O',
      metric: 'disk_io_bytes',
      chart: 'line',
      width: 6,
      query: { ...traffic, group_by: ['device', 'direction'], limit: 12 },
      display: { unit: 'bytes', per_second: true, min: 0 },
    },
  ],
};

const bottomRow: RowDraft = {
  height: chartRows,
  panels: [
    {
      title: 'Disk space',
      metric: 'disk_space_bytes',
      chart: 'table',
      width: 6,
      query: { agg: 'last', across: 'sum', group_by: ['mount', 'kind'], limit: 30 },
      display: { unit: 'bytes' },
    },
    {
      title: 'Processes',
      metric: 'process_count',
      chart: 'stacked',
      width: 6,
      query: { agg: 'avg', across: 'sum', group_by: ['state'], where: { state: { not: ['total'] } } },
      display: { unit: 'count', decimals: 0, min: 0 },
    },
  ],
};

/** The first board anybody sees: this machine, as the built-in collector reads it once a second. */
export function hostBoard(hostName: string, facts: HostFacts = {}): BoardContent {
  return {
    title: hostName === '' ? 'This host' : hostName.slice(0, 120),
    description: 'Processor, memory, disks and network of this machine, read once a second.',
    window: '5m',
    shared: true,
    variables: [
      { label: 'host', title: 'Host', metric_type: 'cpu_usage', selected: hostName === '' ? [] : [hostName] },
    ],
    panels: panelsFromRows([overviewRow(facts), ...processorRows(facts), memoryRow, trafficRow, bottomRow]),
  };
}
