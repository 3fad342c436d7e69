import {
  type AggName,
  type Condition,
  conditionsOf,
  otherLabelValue,
  type SeriesDefinition,
  type SeriesLabels,
  type Where,
} from '@nowcast/contract';
import type { ResolvedQuery } from '../normalise.ts';

/**
 * What a query means, worked out from first principles over a plain list of points: everything is sorted, nothing is
 * merged, no sketch is used. Slow, and short enough to be checked by reading. Differential tests hold history, live
 * views and the wire against it.
 */
export interface ReferencePoint {
  series: SeriesDefinition;
  timestamp: number;
  value: number;
  actor?: string | undefined;
}

/** `tolerance` is how far an answer may lie from `value`: 0 where it must be exact. */
export interface ReferenceCell {
  value: number;
  tolerance: number;
}

export interface ReferenceLine {
  labels: SeriesLabels;
  other: boolean;
  cells: Map<number, ReferenceCell>;
}

interface Group {
  labels: SeriesLabels;
  text: string;
  series: ReferencePoint[][];
}

/** The lines of the answer over `[from, to)`, best group first, "Other" last. `from` and `to` are bucket boundaries. */
export function evaluate(
  points: readonly ReferencePoint[],
  query: ResolvedQuery,
  range: { from: number; to: number } = query,
): ReferenceLine[] {
  const seen = query.agg === 'increase' ? withinReach(points, query, range.from) : points;
  const groups = groupsOf(seen, query, range).filter((group) => cellsOf(group.series, query, range).size > 0);
  const sign = query.order === 'desc' ? -1 : 1;
  const ranked = groups
    .map((group) => ({ group, total: totalOf(group.series, query, range) }))
    .sort((a, b) => sign * Math.sign(a.total - b.total) || (a.group.text < b.group.text ? -1 : 1))
    .map(({ group }) => group);
  const limit = query.limit ?? ranked.length;
  const lines = ranked.slice(0, limit).map(({ labels, series }) => ({
    labels,
    other: false,
    cells: cellsOf(series, query, range),
  }));
  const rest = ranked.slice(limit).flatMap((group) => group.series);
  if (rest.length === 0) return lines;
  const labels = Object.fromEntries(query.groupBy.map((name) => [name, otherLabelValue]));
  return [...lines, { labels, other: true, cells: cellsOf(rest, query, range) }];
}

/** A counter's first step is counted from a point at most five minutes, or one bucket, before the range. */
function withinReach(
  points: readonly ReferencePoint[],
  query: ResolvedQuery,
  from: number,
): ReferencePoint[] {
  const reach = Math.min(from - 300_000, query.buckets.start(from - 1));
  return points.filter(({ timestamp }) => timestamp >= reach);
}

/** Whether a series satisfies every matcher; regular expressions by the language's own engine, anchored. */
export function seriesMatches(where: Where, series: SeriesDefinition): boolean {
  return Object.entries(where).every(([name, matcher]) =>
    conditionsOf(matcher).every((condition) => valueMatches(condition, labelOf(series, name))),
  );
}

function valueMatches(condition: Condition, value: string): boolean {
  if (Array.isArray(condition)) return condition.includes(value);
  if ('not' in condition) return !condition.not.includes(value);
  if ('regex' in condition) return new RegExp(`^(?:${condition.regex})$`, 'su').test(value);
  return !new RegExp(`^(?:${condition.not_regex})$`, 'su').test(value);
}

function labelOf(series: SeriesDefinition, name: string): string {
  const label = series.labels.find(([own]) => own === name)?.[1];
  return label ?? (name === 'source' ? series.source : '');
}

function groupsOf(
  points: readonly ReferencePoint[],
  query: ResolvedQuery,
  range: { from: number; to: number },
): Group[] {
  const bySeries = Map.groupBy(
    points.filter(
      ({ series, timestamp }) =>
        series.metric_type === query.metricType && seriesMatches(query.where, series) && timestamp < range.to,
    ),
    ({ series }) => JSON.stringify([series.tenant, series.metric_type, series.source, series.labels]),
  );
  const groups = new Map<string, Group>();
  for (const members of bySeries.values()) {
    const labels = Object.fromEntries(query.groupBy.map((name) => [name, labelOf(members[0]!.series, name)]));
    const text = JSON.stringify(Object.entries(labels));
    const group = groups.get(text) ?? { labels, text, series: [] };
    group.series.push(members.toSorted(compareTime));
    groups.set(text, group);
  }
  return [...groups.values()];
}

/** Ties in time go by value (docs/decisions/0004-ties-in-time.md). */
function compareTime(a: ReferencePoint, b: ReferencePoint): number {
  return a.timestamp - b.timestamp || a.value - b.value;
}

function cellsOf(
  series: readonly ReferencePoint[][],
  query: ResolvedQuery,
  range: { from: number; to: number },
): Map<number, ReferenceCell> {
  const cells = new Map<number, ReferenceCell>();
  const agg = query.agg as AggName;
  const starts = new Set(
    series
      .flat()
      .flatMap(({ timestamp }) => (timestamp < range.from ? [] : [query.buckets.start(timestamp)])),
  );
  for (const start of [...starts].sort((a, b) => a - b)) {
    const end = query.buckets.end(start);
    const cell = combineSeries(series, query, (members) =>
      aggregate(agg, members, start, end, (end - start) / 1000),
    );
    if (cell !== undefined) cells.set(start, cell);
  }
  return cells;
}

function totalOf(
  series: readonly ReferencePoint[][],
  query: ResolvedQuery,
  range: { from: number; to: number },
): number {
  const agg = query.agg as AggName;
  const cell = combineSeries(series, query, (members) => aggregate(agg, members, range.from, range.to, 1));
  return cell?.value ?? Number.NaN;
}

/** Applies `across`: one population, or each series on its own and then the combination. */
function combineSeries(
  series: readonly ReferencePoint[][],
  query: ResolvedQuery,
  one: (members: readonly ReferencePoint[]) => ReferenceCell | undefined,
): ReferenceCell | undefined {
  if (query.across === 'merge' && query.agg !== 'increase') return one(series.flat().sort(compareTime));
  const each = series.flatMap((members) => one(members) ?? []);
  if (each.length === 0) return undefined;
  const values = each.map(({ value }) => value);
  const tolerances = each.map(({ tolerance }) => tolerance);
  if (query.across === 'min') return { value: Math.min(...values), tolerance: Math.max(...tolerances) };
  if (query.across === 'max') return { value: Math.max(...values), tolerance: Math.max(...tolerances) };
  const sum = sumOf(values);
  const tolerance = sum.tolerance + tolerances.reduce((a, b) => a + b, 0);
  return query.across === 'avg'
    ? { value: sum.value / each.length, tolerance: tolerance / each.length }
    : { value: sum.value, tolerance };
}

/** `members` ascend in (time, value); those before `start` only matter to counters. */
function aggregate(
  agg: AggName,
  members: readonly ReferencePoint[],
  start: number,
  end: number,
  seconds: number,
): ReferenceCell | undefined {
  const inside = members.filter(({ timestamp }) => timestamp >= start && timestamp < end);
  if (inside.length === 0) return undefined;
  if (agg === 'increase') return increaseOf(members, start, end);
  if (agg === 'uniques') return uniquesOf(inside);
  const values = inside.map(({ value }) => value);
  const fraction = /^p(\d\d)$/.exec(agg)?.[1];
  if (fraction !== undefined) return quantileOf(values, Number(fraction) / 100);
  const sum = sumOf(values);
  const simple: Partial<Record<AggName, ReferenceCell>> = {
    count: exact(inside.length),
    sum,
    avg: { value: sum.value / inside.length, tolerance: sum.tolerance / inside.length },
    rate: { value: sum.value / seconds, tolerance: sum.tolerance / seconds },
    min: exact(values.reduce((a, b) => Math.min(a, b))),
    max: exact(values.reduce((a, b) => Math.max(a, b))),
    first: exact(values[0]!),
    last: exact(values.at(-1)!),
  };
  return simple[agg];
}

/** Steps whose later point lies in `[start, end)`; a drop is a restart from zero; the first point of all adds 0. */
function increaseOf(members: readonly ReferencePoint[], start: number, end: number): ReferenceCell {
  const steps: number[] = [];
  for (let i = 1; i < members.length; i += 1) {
    const { timestamp, value } = members[i]!;
    const before = members[i - 1]!.value;
    if (timestamp >= start && timestamp < end) steps.push(value >= before ? value - before : value);
  }
  const magnitude = Math.max(...members.map(({ value }) => Math.abs(value)));
  const sum = sumOf(steps);
  return { value: sum.value, tolerance: sum.tolerance + 1e-12 * magnitude * members.length };
}

/** Distinct actors; the sketch's standard error is 1.6 %, five of them are allowed. */
function uniquesOf(inside: readonly ReferencePoint[]): ReferenceCell | undefined {
  const actors = new Set(inside.flatMap(({ actor }) => (actor === undefined ? [] : [actor])));
  if (actors.size === 0) return undefined;
  return { value: actors.size, tolerance: 1 + 0.08 * actors.size };
}

/** The element at floor(q · (n − 1)) of the sorted values; the sketch is within 1 % of it. */
function quantileOf(values: readonly number[], fraction: number): ReferenceCell {
  const value = values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))]!;
  return { value, tolerance: Math.abs(value) * 0.010_001 };
}

/** Sum by magnitude, smallest first, with compensation; allowed to differ by 1e-12 · Σ|v|. */
function sumOf(values: readonly number[]): ReferenceCell {
  let sum = 0;
  let lost = 0;
  let magnitude = 0;
  for (const value of values.toSorted((a, b) => Math.abs(a) - Math.abs(b))) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
    magnitude += Math.abs(value);
  }
  return { value: Number.isFinite(sum) ? sum + lost : sum, tolerance: 1e-12 * magnitude };
}

function exact(value: number): ReferenceCell {
  return { value, tolerance: 0 };
}
