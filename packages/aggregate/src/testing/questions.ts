import { type Query, type QueryInput, querySchema, type SeriesDefinition } from '@nowcast/contract';
import type { ReferenceLine, ReferencePoint } from './reference.ts';

/**
 * Ten questions that people put to a dashboard, each with the points behind it and the answer worked out by hand, not
 * by a program. History, live views and the reference must all give exactly this.
 */
export interface Question {
  title: string;
  /** The clock when it is asked, epoch ms. */
  nowMs: number;
  query: Query;
  /** In order of arrival. */
  points: ReferencePoint[];
  expected: ReferenceLine[];
}

const minute = 60_000;
const hour = 60 * minute;
const firstOfOctober = 1_790_812_800_000;

/** A moment of October 2026, UTC. */
function october(day: number, hours: number, minutes = 0): number {
  return firstOfOctober + ((day - 1) * 24 + hours) * hour + minutes * minute;
}

/** Monday, 26 October 2026, 12:00 UTC: the day after summer time ended in Berlin. */
const noon = october(26, 12);

type Sample = [timestamp: number, value: number, actor?: string];

function samples(labels: Record<string, string>, list: Sample[]): ReferencePoint[] {
  const series: SeriesDefinition = {
    tenant: 't',
    metric_type: 'm',
    source: 'test',
    labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
  };
  return list.map(([timestamp, value, actor]) => ({ series, timestamp, value, actor }));
}

type Answer = [start: number, value: number, tolerance?: number][];

function line(labels: Record<string, string>, cells: Answer, other = false): ReferenceLine {
  return {
    labels,
    other,
    cells: new Map(cells.map(([start, value, tolerance = 0]) => [start, { value, tolerance }])),
  };
}

function ask(input: Omit<QueryInput, 'metric_type'>): Query {
  return querySchema.parse({ metric_type: 'm', ...input });
}

const range = { from: noon - 5 * minute, to: noon, step: '1m' } as const;
/** Start of the i-th of the range's five minutes. */
const at = (i: number): number => range.from + i * minute;

/** Host i reports i + 1 GiB, and does so i + 1 times a minute: who reports more often must not weigh more. */
const totalMemory: Question = {
  title: 'total memory over ten hosts',
  nowMs: noon,
  query: ask({ agg: 'avg', across: 'sum', ...range }),
  points: Array.from({ length: 10 }, (_, host) =>
    samples(
      { host: `h${host}` },
      Array.from({ length: host + 1 }, (_, k): Sample => [at(1) + k * 1000, host + 1]),
    ),
  ).flat(),
  expected: [line({}, [[at(1), 55]])],
};

/** Read once a second; restarted between the third and the fourth reading. */
const counterWithReset: Question = {
  title: 'requests per second from a counter that resets',
  nowMs: noon,
  query: ask({ agg: 'increase', from: noon - 10_000, to: noon, step: '1s' }),
  points: samples(
    {},
    [100, 112, 130, 7, 7, 20].map((value, i): Sample => [noon - 6000 + i * 1000, value]),
  ),
  expected: [
    line(
      {},
      [0, 12, 18, 7, 0, 13].map((value, i) => [noon - 6000 + i * 1000, value]),
    ),
  ],
};

/** Berlin's Sunday had 25 hours: 22:00 UTC on Saturday to 23:00 UTC on Sunday. */
const salesPerDay: Question = {
  title: 'sales per local day across a change of daylight saving',
  nowMs: noon,
  query: ask({
    agg: 'sum',
    from: '2026-10-24T12:00:00Z',
    to: '2026-10-26T12:00:00Z',
    step: '1d',
    tz: 'Europe/Berlin',
  }),
  points: samples({}, [
    [october(24, 21, 59), 10],
    [october(24, 22, 0), 20],
    [october(25, 0, 30), 30],
    [october(25, 1, 30), 40],
    [october(25, 22, 59), 50],
    [october(25, 23, 0), 60],
  ]),
  expected: [
    line({}, [
      [october(23, 22), 10],
      [october(24, 22), 140],
      [october(25, 23), 60],
    ]),
  ],
};

/** 1 … 100 ms, odd ones in one region, even ones in the other: 99 % lie at or below 99 ms, the sketch is within 1 %. */
const latency: Question = {
  title: 'p99 of latency over all regions',
  nowMs: noon,
  query: ask({ agg: 'p99', ...range }),
  points: Array.from({ length: 100 }, (_, i) =>
    samples({ region: i % 2 === 0 ? 'eu' : 'us' }, [[at(2) + i * 500, i + 1]]),
  ).flat(),
  expected: [line({}, [[at(2), 99, 1]])],
};

const uniqueUsers: Question = {
  title: 'unique users this week',
  nowMs: noon,
  query: ask({ agg: 'uniques', from: '2026-10-19T00:00:00Z', to: '2026-10-26T00:00:00Z', step: '1w' }),
  points: [
    ...samples({ page: '/' }, [
      [october(19, 8), 1, 'anna'],
      [october(21, 8), 1, 'ben'],
      [october(25, 23), 1, 'anna'],
    ]),
    ...samples({ page: '/pricing' }, [
      [october(20, 8), 1, 'ben'],
      [october(22, 8), 1, 'chris'],
      [october(22, 9), 1],
      [october(18, 23), 1, 'dora'],
    ]),
  ],
  expected: [line({}, [[october(19, 0), 3]])],
};

/** Each request is a point of 1 when it failed and 0 when it did not. */
const errorRatio: Question = {
  title: 'error ratio',
  nowMs: noon,
  query: ask({ agg: 'avg', ...range }),
  points: samples(
    {},
    [0, 0, 1, 0, 1, 0, 0, 0].map((value, i): Sample => [at(Math.floor(i / 4)) + i * 100, value]),
  ),
  expected: [
    line({}, [
      [at(0), 0.25],
      [at(1), 0.25],
    ]),
  ],
};

/** Page /pN is seen 10 − N times, in the same minute. */
const topPages: Question = {
  title: 'top five pages and "Other"',
  nowMs: noon,
  query: ask({ agg: 'count', group_by: ['page'], limit: 5, ...range }),
  points: Array.from({ length: 8 }, (_, page) =>
    samples(
      { page: `/p${page}` },
      Array.from({ length: 10 - page }, (_, k): Sample => [at(3) + k, 1]),
    ),
  ).flat(),
  expected: [
    ...[10, 9, 8, 7, 6].map((count, page) => line({ page: `/p${page}` }, [[at(3), count]])),
    line({ page: 'Other' }, [[at(3), 5 + 4 + 3]], true),
  ],
};

const lateStart: Question = {
  title: 'a series that starts late',
  nowMs: noon,
  query: ask({ agg: 'last', group_by: ['host'], ...range }),
  points: [
    ...samples(
      { host: 'old' },
      [0, 1, 2, 3, 4].map((i): Sample => [at(i), i]),
    ),
    ...samples({ host: 'new' }, [
      [at(3) + 1, 7],
      [at(4), 8],
    ]),
  ],
  expected: [
    line(
      { host: 'old' },
      [0, 1, 2, 3, 4].map((i) => [at(i), i]),
    ),
    line({ host: 'new' }, [
      [at(3), 7],
      [at(4), 8],
    ]),
  ],
};

const gap: Question = {
  title: 'a gap',
  nowMs: noon,
  query: ask({ agg: 'avg', ...range }),
  points: samples({}, [
    [at(0), 4],
    [at(0) + 1000, 6],
    [at(4) + 59_999, 9],
  ]),
  expected: [
    line({}, [
      [at(0), 5],
      [at(4), 9],
    ]),
  ],
};

/** Booked an hour ago, received last. */
const lateCorrection: Question = {
  title: 'a correction that arrives an hour late',
  nowMs: noon,
  query: ask({ agg: 'sum', from: noon - 2 * hour, to: noon, step: '30m' }),
  points: samples({}, [
    [noon - 70 * minute, 100],
    [noon - 10 * minute, 40],
    [noon - 65 * minute, -30],
  ]),
  expected: [
    line({}, [
      [noon - 90 * minute, 70],
      [noon - 30 * minute, 40],
    ]),
  ],
};

export const questions: readonly Question[] = [
  totalMemory,
  counterWithReset,
  salesPerDay,
  latency,
  uniqueUsers,
  errorRatio,
  topPages,
  lateStart,
  gap,
  lateCorrection,
];
