import { aggNames, limits, type Query, querySchema, type SeriesDefinition } from '@nowcast/contract';
import fc from 'fast-check';
import type { ReferencePoint } from './reference.ts';

/**
 * Random points and random queries that make trouble on purpose: few series, few instants and few values, so that
 * ties, duplicates, late points, resets of counters and empty groups are the rule; days around a change of clocks;
 * extreme values.
 */
export interface Scenario {
  /** In order of arrival. */
  points: ReferencePoint[];
  query: Query;
  /** The clock when the query is asked, epoch ms. */
  nowMs: number;
}

const pool: SeriesDefinition[] = [
  {
    tenant: 't',
    metric_type: 'm',
    source: 'a',
    labels: [
      ['host', 'h1'],
      ['region', 'eu'],
    ],
  },
  {
    tenant: 't',
    metric_type: 'm',
    source: 'b',
    labels: [
      ['host', 'h1'],
      ['region', 'us'],
    ],
  },
  {
    tenant: 't',
    metric_type: 'm',
    source: 'a',
    labels: [
      ['host', 'h2'],
      ['region', 'eu'],
    ],
  },
  { tenant: 't', metric_type: 'm', source: 'a', labels: [['host', 'h3']] },
  {
    tenant: 't',
    metric_type: 'm',
    source: 'c',
    labels: [
      ['host', 'Other'],
      ['region', 'ap'],
    ],
  },
  { tenant: 't', metric_type: 'm', source: 'c', labels: [] },
];

/** Scale of a scenario: a minute with steps of seconds, or weeks around the end of summer time in Europe. */
const scales = [
  { now: 1_800_000_060_000, spanMs: 100_000, grainMs: 500, steps: ['1s', '10s', '7s', '1m'], window: '90s' },
  {
    now: 1_793_100_000_000,
    spanMs: 40 * 86_400_000,
    grainMs: 1_800_000,
    steps: ['1d', '1w', '1mo', '6h'],
    window: '4w',
  },
] as const;

const gnarly = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 20 }) },
  { weight: 2, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(1e15, -1e15, 1e-9, 0.1, -0, 1e100, -1e100) },
);
/** Sums of these are exact in any order, so that a ranking has one right answer. */
const whole = fc.integer({ min: 0, max: 12 });

const condition = fc.oneof(
  fc.subarray(['h1', 'h2', 'h3', 'eu', 'us', 'a', ''], { minLength: 1 }),
  fc.subarray(['h1', 'h2', 'eu', 'a', ''], { minLength: 1 }).map((not) => ({ not })),
  fc.constantFrom('h[12]', 'e.*|us', '.*', 'a').map((regex) => ({ regex })),
  fc.constantFrom('h.', 'eu|', 'b').map((not_regex) => ({ not_regex })),
);
const matcher = fc.oneof(
  { weight: 3, arbitrary: condition },
  { weight: 1, arbitrary: fc.array(condition, { minLength: 2, maxLength: 3 }).map((all) => ({ all })) },
);
const where = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom('host', 'region', 'source', 'zone'), matcher, { maxKeys: 2 }),
  },
);

/** Aggregates whose totals a sketch or a rounding could rank otherwise than the exact answer. */
const inexact = /^p\d|uniques|avg/;

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    scale: fc.constantFrom(...scales),
    agg: fc.constantFrom(...aggNames),
    across: fc.constantFrom('merge', 'sum', 'avg', 'min', 'max'),
    group_by: fc.subarray(['host', 'region', 'source']),
    where,
    limit: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    order: fc.constantFrom('desc', 'asc'),
    tz: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo'),
  })
  .chain((base) => {
    const ranked = base.limit !== undefined && !inexact.test(base.agg) && !inexact.test(base.across);
    const { scale, limit, ...rest } = base;
    return fc.record({
      points: pointsOf(scale, ranked || base.agg === 'increase' ? whole : gnarly),
      nowMs: fc.constant(scale.now),
      query: fc.constantFrom(...scale.steps).map((step) =>
        querySchema.parse({
          ...rest,
          ...(ranked ? { limit } : {}),
          metric_type: 'm',
          window: scale.window,
          step,
        }),
      ),
    });
  });

function pointsOf(
  scale: (typeof scales)[number],
  values: fc.Arbitrary<number>,
): fc.Arbitrary<ReferencePoint[]> {
  const point = fc.record({
    series: fc.integer({ min: 0, max: pool.length - 1 }),
    // Ingest refuses what is more than five minutes ahead of its clock.
    ago: fc.integer({
      min: -Math.min(4, Math.floor(limits.futureMs / scale.grainMs)),
      max: Math.ceil(scale.spanMs / scale.grainMs),
    }),
    value: values,
    actor: fc.option(fc.constantFrom('anna', 'ben', 'chris'), { nil: undefined }),
  });
  return fc.array(point, { maxLength: 60, size: 'max' }).map((list) =>
    list.map(({ series, ago, value, actor }) => ({
      series: pool[series]!,
      timestamp: scale.now - ago * scale.grainMs,
      value,
      actor,
    })),
  );
}
