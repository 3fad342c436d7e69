import { normaliseQuery, QueryGrid, type ResolvedQuery } from '@nowcast/aggregate';
import { differences, evaluate, type ReferencePoint } from '@nowcast/aggregate/testing';
import { querySchema, type QueryInput } from '@nowcast/contract';
import { SeriesIndex, Tail } from '@nowcast/head';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterRows } from './counter-rows.ts';
import { foldTail } from './tail-fold.ts';

const nowMs = 1_800_000_000_000;
const partitions = 2;
const hosts = 'abcdefghijklmnopqrst'.split('');

/** Where a point lies in the range of two minutes, which it may miss on either side, and what it says. */
const point = fc.record({
  host: fc.constantFrom(...hosts),
  agoMs: fc.integer({ min: -20_000, max: 140_000 }),
  value: fc.oneof(
    fc.integer({ min: -300, max: 9000 }).map((n) => n / 100),
    fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  ),
});
/** In order of time, as agents send, or in any. */
const arrivals = fc
  .tuple(fc.array(point, { minLength: 1, maxLength: 200 }), fc.boolean())
  .map(([points, isLate]) => (isLate ? points : points.toSorted((a, b) => b.agoMs - a.agoMs)));

const asked = fc.constantFrom<Partial<QueryInput>>(
  { agg: 'avg' },
  { agg: 'sum', group_by: ['host'] },
  { agg: 'count', group_by: ['zone'] },
  { agg: 'max' },
  { agg: 'min', group_by: ['host'] },
  { agg: 'first' },
  { agg: 'last', group_by: ['zone'] },
  { agg: 'p50' },
  { agg: 'p99', group_by: ['host'] },
  { agg: 'p95', group_by: ['zone'], where: { host: ['a', 'c', 'd'] } },
  { agg: 'avg', across: 'sum' },
  { agg: 'rate', across: 'max', group_by: ['zone'] },
);

function pointOf({ host, agoMs, value }: { host: string; agoMs: number; value: number }): ReferencePoint {
  const zone = host < 'c' ? 'east' : 'west';
  const labels = [['host', host] as const, ['zone', zone] as const];
  return {
    series: {
      tenant: 't',
      metric_type: 'm',
      source: 's',
      labels: labels.map(([name, text]) => [name, text]),
    },
    timestamp: nowMs - agoMs,
    value,
  };
}

describe('points that are looked at in order of arrival', () => {
  it('make the answer of the reference, whatever is asked for and in whatever order they came', () => {
    fc.assert(
      fc.property(
        arrivals,
        asked,
        fc.constantFrom('1s', '10s', '1m'),
        fc.integer({ min: 1, max: 7 }),
        (points, question, step, atOnce) => {
          const all = points.map(pointOf);
          const query = normaliseQuery(
            querySchema.parse({
              metric_type: 'm',
              from: nowMs - 120_000,
              to: nowMs,
              step,
              ...question,
            }),
            nowMs,
          );
          const lines = folded(query, headOf(all, atOnce));
          expect(differences(lines, evaluate(all, query))).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('add up to what rounding at each step would lose', () => {
    const values = [1e16, 1, 1, -1e16, 0.25];
    const points = values.map((value, i) => pointOf({ host: hosts[i % 2]!, agoMs: 50_000 + i, value }));
    const query = normaliseQuery(
      querySchema.parse({ metric_type: 'm', from: nowMs - 120_000, to: nowMs, step: '1m', agg: 'sum' }),
      nowMs,
    );
    expect(Array.from(folded(query, headOf(points, 1))[0]!.values)).toEqual([2.25]);
  });
});

function folded(query: ResolvedQuery, { index, tails }: ReturnType<typeof headOf>) {
  const { agg } = query;
  if (agg === 'none') throw new Error('records are not folded');
  const grid = new QueryGrid({ ...query, agg });
  const handles = index.match('t', 'm', query.where);
  const units = handles.map((handle) => grid.addSeries(grid.addGroupOf(index.definitionOf(handle))));
  const selection = { tenant: 't', metric: 'm', handles, units };
  const span = { start: undefined, end: undefined, reach: query.from };
  foldTail(grid, selection, index, tails, span, [], new CounterRows([]));
  return grid.lines({ limit: query.limit, order: query.order });
}

/** Series in an index, and their points in tails, so many at once. */
function headOf(points: readonly ReferencePoint[], atOnce: number): { index: SeriesIndex; tails: Tail[] } {
  const index = new SeriesIndex(partitions);
  const tails = Array.from({ length: partitions }, (_, partition) => new Tail(partition));
  const handles = points.map(({ series }) => index.define(series));
  for (const [partition, tail] of tails.entries()) {
    const own = points.flatMap((_, i) => (index.partitionOf(handles[i]!) === partition ? [i] : []));
    for (let from = 0, offset = 0; from < own.length; from += atOnce, offset++) {
      const some = own.slice(from, from + atOnce);
      tail.append({
        offset,
        receivedAt: 0,
        handles: Uint32Array.from(some, (i) => handles[i]!),
        timestamps: Float64Array.from(some, (i) => points[i]!.timestamp),
        values: Float64Array.from(some, (i) => points[i]!.value),
        count: some.length,
        extras: undefined,
      });
    }
  }
  return { index, tails };
}
