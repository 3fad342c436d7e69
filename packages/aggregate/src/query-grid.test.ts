import { type Query, querySchema, type SeriesDefinition } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Buckets } from './buckets.ts';
import { groupLabels } from './labels.ts';
import { normaliseQuery, type ResolvedQuery } from './normalise.ts';
import { QueryGrid } from './query-grid.ts';
import { StateGrid, type StateSource } from './state-grid.ts';
import {
  differences,
  evaluate,
  questions,
  type ReferencePoint,
  scenario,
  seriesMatches,
} from './testing/index.ts';

function gridOf(query: ResolvedQuery): QueryGrid {
  if (query.agg === 'none') throw new Error('records have no grid');
  return new QueryGrid({ ...query, agg: query.agg });
}

/** Registers series on first sight and says which unit each has. */
function unitsFor(grid: QueryGrid, query: ResolvedQuery): (series: SeriesDefinition) => number {
  const units = new Map<SeriesDefinition, number>();
  return (series) => {
    let unit = units.get(series);
    if (unit === undefined) {
      unit = grid.addSeries(grid.addGroup(groupLabels(series, query.groupBy)));
      units.set(series, unit);
    }
    return unit;
  };
}

function matching(points: readonly ReferencePoint[], query: ResolvedQuery): ReferencePoint[] {
  return points.filter(({ series }) => seriesMatches(query.where, series));
}

function inTime(points: readonly ReferencePoint[]): ReferencePoint[] {
  return points.toSorted((a, b) => a.timestamp - b.timestamp || a.value - b.value);
}

/** State columns as a warehouse would return them: one entry for each (unit, fine bucket). */
function statesOf(
  grid: QueryGrid,
  points: readonly ReferencePoint[],
  unitOf: (series: SeriesDefinition) => number,
  fine: Buckets,
): {
  columns: StateSource & { length: number; group: Uint32Array; bucket: Uint32Array };
  starts: Float64Array;
} {
  const states = new StateGrid(grid.parts);
  const keys: { unit: number; start: number }[] = [];
  for (const { series, timestamp, value, actor } of inTime(points)) {
    const unit = unitOf(series);
    const start = fine.start(timestamp);
    let row = keys.findIndex((key) => key.unit === unit && key.start === start);
    if (row < 0) row = keys.push({ unit, start }) - 1;
    states.reserve(row + 1);
    states.addPoint(row, timestamp, value, actor);
  }
  const starts = Float64Array.from(new Set(keys.map(({ start }) => start))).sort();
  const dd = keys.map((_, row) => states.sketchOf(row));
  const hll = keys.map((_, row) => {
    const slots: [number, number][] = [];
    states.uniquesOf(row)?.forEach((register, rank) => slots.push([register, rank]));
    return slots;
  });
  const offsets = (lengths: number[]): Uint32Array => {
    const list = Uint32Array.from([0, ...lengths]);
    for (let i = 1; i < list.length; i += 1) list[i]! += list[i - 1]!;
    return list;
  };
  return {
    starts,
    columns: {
      length: keys.length,
      group: Uint32Array.from(keys, ({ unit }) => unit),
      bucket: Uint32Array.from(keys, ({ start }) => starts.indexOf(start)),
      count: states.column('count', keys.length),
      sum: Float64Array.from(keys, (_, row) => (grid.parts.scalar ? states.sumOf(row) : 0)),
      min: states.column('min', keys.length),
      max: states.column('max', keys.length),
      first: states.column('first', keys.length),
      firstAt: states.column('firstAt', keys.length),
      last: states.column('last', keys.length),
      lastAt: states.column('lastAt', keys.length),
      growth: states.column('growth', keys.length),
      ddOffsets: offsets(dd.map((sketch) => sketch?.length ?? 0)),
      ddIndex: Int32Array.from(dd.flatMap((sketch) => [...(sketch?.keys.subarray(0, sketch.length) ?? [])])),
      ddCount: Float64Array.from(
        dd.flatMap((sketch) => [...(sketch?.counts.subarray(0, sketch.length) ?? [])]),
      ),
      hllOffsets: offsets(hll.map((slots) => slots.length)),
      hllRegister: Uint16Array.from(hll.flat(), ([register]) => register),
      hllRank: Uint8Array.from(hll.flat(), ([, rank]) => rank),
    },
  };
}

function unlimited(query: Query): Query {
  const { limit: _limit, ...rest } = query;
  return rest;
}

describe('QueryGrid', () => {
  it('gives what the naive reference gives, points in any order of series', () => {
    fc.assert(
      fc.property(scenario, fc.boolean(), ({ points, query, nowMs }, reversed) => {
        const resolved = normaliseQuery(query, nowMs);
        const grid = gridOf(resolved);
        const unitOf = unitsFor(grid, resolved);
        const list = matching(points, resolved);
        const ordered = grid.parts.growth ? inTime(list) : reversed ? list.toReversed() : list;
        for (const { series, timestamp, value, actor } of ordered)
          grid.addPoint(unitOf(series), timestamp, value, actor);
        expect(grid.overlapping.size).toBe(0);
        expect(differences(grid.lines(resolved), evaluate(points, resolved))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same from merged states of any resolution as from points', () => {
    fc.assert(
      fc.property(
        scenario,
        fc.constantFrom(500, 1000, 3_600_000),
        fc.nat(),
        ({ points, query, nowMs }, fineMs, cut) => {
          const resolved = normaliseQuery(query, nowMs);
          fc.pre(resolved.step.kind === 'calendar' || resolved.stepMs % fineMs === 0);
          const grid = gridOf(resolved);
          const unitOf = unitsFor(grid, resolved);
          const list = matching(points, resolved).filter(({ timestamp }) => timestamp < resolved.to);
          const edge = resolved.buckets.start(resolved.from + (cut % (resolved.to - resolved.from)));
          const before = inTime(list).filter(({ timestamp }) => timestamp < resolved.from);
          const stated = list.filter(({ timestamp }) => timestamp >= resolved.from && timestamp < edge);
          const { columns, starts } = statesOf(
            grid,
            stated,
            unitOf,
            new Buckets({ kind: 'fixed', ms: fineMs }),
          );
          grid.mergeStates(columns, starts);
          for (const { series, timestamp, value, actor } of [
            ...inTime(list).filter(({ timestamp }) => timestamp >= edge),
            ...before,
          ])
            grid.addPoint(unitOf(series), timestamp, value, actor);
          expect(differences(grid.lines(resolved), evaluate(points, resolved))).toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('answers a single bucket of a line like the whole line', () => {
    fc.assert(
      fc.property(scenario, ({ points, query, nowMs }) => {
        const resolved = normaliseQuery(unlimited(query), nowMs);
        const grid = gridOf(resolved);
        const unitOf = unitsFor(grid, resolved);
        for (const { series, timestamp, value, actor } of inTime(matching(points, resolved)))
          grid.addPoint(unitOf(series), timestamp, value, actor);
        for (let group = 0; group < grid.groupCount; group += 1) {
          const { timestamps, values } = grid.columns(grid.unitsOf(group));
          // Adding zero: a combination of several series has no negative zero, a single value may.
          const single = [...timestamps].map((start) => grid.valueAt(grid.unitsOf(group), start) + 0);
          expect(single).toEqual([...values].map((value) => value + 0));
        }
      }),
    );
  });

  it('forgets what leaves the range as if it had never been asked for', () => {
    fc.assert(
      fc.property(scenario, fc.nat(), ({ points, query, nowMs }, cut) => {
        const resolved = normaliseQuery(unlimited(query), nowMs);
        const from = resolved.buckets.start(resolved.from + (cut % (resolved.to - resolved.from)));
        const grid = gridOf(resolved);
        const unitOf = unitsFor(grid, resolved);
        for (const { series, timestamp, value, actor } of inTime(matching(points, resolved)))
          grid.addPoint(unitOf(series), timestamp, value, actor);
        grid.dropBefore(from);
        expect(
          differences(grid.lines(resolved), evaluate(points, resolved, { from, to: resolved.to })),
        ).toEqual([]);
      }),
    );
  });

  it('says which counter it cannot merge, and is right once that is fed again in order', () => {
    const query = normaliseQuery(
      querySchema.parse({ metric_type: 'm', agg: 'increase', from: 0, to: 60_000, step: '1m' }),
      60_000,
    );
    const grid = gridOf(query);
    const unit = grid.addSeries(grid.addGroup({}));
    grid.addPoint(unit, 1000, 10);
    grid.addPoint(unit, 3000, 30);
    grid.addPoint(unit, 500, 5);
    expect(grid.overlapping.size).toBe(0);
    expect(grid.valueAt([unit], 0)).toBe(25);
    grid.addPoint(unit, 2000, 4);
    expect([...grid.overlapping]).toEqual([[unit, new Set([0])]]);
    grid.resetUnit(unit);
    for (const [at, value] of [
      [500, 5],
      [1000, 10],
      [2000, 4],
      [3000, 30],
    ] as const)
      grid.addPoint(unit, at, value);
    expect(grid.overlapping.size).toBe(0);
    expect(grid.valueAt([unit], 0)).toBe(5 + 4 + 26);
  });
});

describe.each(questions)('asked for $title', ({ points, query, nowMs, expected }) => {
  const resolved = normaliseQuery(query, nowMs);

  it('the grid gives the answer worked out by hand', () => {
    const grid = gridOf(resolved);
    const unitOf = unitsFor(grid, resolved);
    for (const { series, timestamp, value, actor } of points)
      grid.addPoint(unitOf(series), timestamp, value, actor);
    expect(differences(grid.lines(resolved), expected)).toEqual([]);
  });

  it('the reference gives it too', () => {
    const lines = evaluate(points, resolved).map(({ labels, cells }) => ({
      labels,
      timestamps: [...cells.keys()],
      values: Array.from(cells.values(), ({ value }) => value),
    }));
    expect(differences(lines, expected)).toEqual([]);
  });
});
