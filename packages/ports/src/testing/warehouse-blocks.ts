import { ddIndex, hllSlot } from '@nowcast/aggregate';
import type { FlushBlock, SeriesRow } from '../warehouse.ts';

/** Flush blocks for the conformance suite, made from plain points the slow and obvious way. */
export interface TestPoint {
  series: number;
  timestamp: number;
  value: number;
  receivedAt?: number;
  dataId?: string;
  actor?: string;
  message?: string;
}

export interface TestFlush {
  partition: number;
  from: number;
  to: number;
  points: readonly TestPoint[];
  tenant?: string;
  metric?: string;
  /** Series defined by this flush. */
  defines?: readonly number[];
  stateRes?: number;
  sketchRes?: number;
}

/** Spread over the whole 64 bits, so that nothing can rely on small ids. */
export function seriesId(series: number): bigint {
  return BigInt.asUintN(64, BigInt(series + 1) * 0x9e37_79b9_7f4a_7c15n);
}

export function flushBlock(flush: TestFlush): FlushBlock {
  const { partition, from, to, tenant = 'acme', metric = 'load' } = flush;
  const points = [...flush.points];
  points.sort((a, b) => a.series - b.series || a.timestamp - b.timestamp || a.value - b.value);
  const bySeries = groupRuns(points, (point) => point.series);
  const name = (rows: readonly unknown[]) => ({
    tenant: rows.map(() => tenant),
    metric: rows.map(() => metric),
  });
  const text = (pick: (point: TestPoint) => string | undefined) =>
    points.some((point) => pick(point) !== undefined) ? points.map(pick) : undefined;
  return {
    partition,
    from,
    to,
    receivedAt: to,
    series: (flush.defines ?? []).map((series) => seriesRow(partition, series, tenant, metric)),
    chunks: {
      count: bySeries.length,
      ...name(bySeries),
      series: BigUint64Array.from(bySeries, (run) => seriesId(run[0]!.series)),
      stateRes: new Uint32Array(bySeries.length).fill(flush.stateRes ?? 10_000),
      sketchRes: new Uint32Array(bySeries.length).fill(flush.sketchRes ?? 60_000),
      offsets: offsetsOf(bySeries),
      timestamps: Float64Array.from(points, (point) => point.timestamp),
      values: Float64Array.from(points, (point) => point.value),
      receivedAt: Float64Array.from(points, (point) => point.receivedAt ?? 0),
      dataIds: text((point) => point.dataId),
      actors: text((point) => point.actor),
      messages: text((point) => point.message),
    },
    states: stateRows(points, flush.stateRes ?? 10_000, name),
    sketches: sketchRows(points, flush.sketchRes ?? 60_000, name),
  };
}

function seriesRow(partition: number, series: number, tenant: string, metric: string): SeriesRow {
  const labels = [
    ['host', `h${series}`],
    ['note', `it's "${series}"\n\nDROP TABLE chunks`],
  ] as const;
  return {
    partition,
    local: series,
    id: seriesId(series),
    definition: { tenant, metric_type: metric, source: 's', labels },
  };
}

type NameRows = (rows: readonly unknown[]) => { tenant: string[]; metric: string[] };

function stateRows(points: readonly TestPoint[], res: number, name: NameRows): FlushBlock['states'] {
  const rows = groupRuns(points, (point) => `${point.series} ${Math.floor(point.timestamp / res)}`);
  const numbers = (pick: (row: readonly TestPoint[]) => number) => Float64Array.from(rows, pick);
  return {
    length: rows.length,
    ...name(rows),
    series: BigUint64Array.from(rows, (row) => seriesId(row[0]!.series)),
    res: new Uint32Array(rows.length).fill(res),
    bucket: numbers((row) => Math.floor(row[0]!.timestamp / res) * res),
    count: numbers((row) => row.length),
    sum: numbers((row) => row.reduce((sum, { value }) => sum + value, 0)),
    min: numbers((row) => Math.min(...row.map(({ value }) => value))),
    max: numbers((row) => Math.max(...row.map(({ value }) => value))),
    first: numbers((row) => row[0]!.value),
    firstAt: numbers((row) => row[0]!.timestamp),
    last: numbers((row) => row.at(-1)!.value),
    lastAt: numbers((row) => row.at(-1)!.timestamp),
    growth: numbers((row) => growthOf(row.map(({ value }) => value))),
  };
}

function sketchRows(points: readonly TestPoint[], res: number, name: NameRows): FlushBlock['sketches'] {
  const rows = groupRuns(points, (point) => `${point.series} ${Math.floor(point.timestamp / res)}`);
  const dd = rows.map((row) => sketchOf(row));
  const hll = rows.map((row) => registersOf(row));
  return {
    length: rows.length,
    ...name(rows),
    series: BigUint64Array.from(rows, (row) => seriesId(row[0]!.series)),
    res: new Uint32Array(rows.length).fill(res),
    bucket: Float64Array.from(rows, (row) => Math.floor(row[0]!.timestamp / res) * res),
    ddOffsets: offsetsOf(dd),
    ddIndex: Int32Array.from(dd.flat(), ([index]) => index),
    ddCount: Float64Array.from(dd.flat(), ([, count]) => count),
    hllOffsets: offsetsOf(hll),
    hllRegister: Uint16Array.from(hll.flat(), ([register]) => register),
    hllRank: Uint8Array.from(hll.flat(), ([, rank]) => rank),
  };
}

/** Growth of a counter over its values in time order; a fall is a reset to zero. */
export function growthOf(values: readonly number[]): number {
  let growth = 0;
  for (let i = 1; i < values.length; i++) {
    growth += values[i]! >= values[i - 1]! ? values[i]! - values[i - 1]! : values[i]!;
  }
  return growth;
}

/** DDSketch pairs, ascending by index. */
export function sketchOf(points: readonly TestPoint[]): [index: number, count: number][] {
  const counts = new Map<number, number>();
  for (const { value } of points) counts.set(ddIndex(value), (counts.get(ddIndex(value)) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

/** HyperLogLog pairs of the actors, ascending by register. */
export function registersOf(points: readonly TestPoint[]): [register: number, rank: number][] {
  const ranks = new Map<number, number>();
  for (const { actor } of points) {
    if (actor === undefined) continue;
    const { register, rank } = hllSlot(actor);
    ranks.set(register, Math.max(rank, ranks.get(register) ?? 0));
  }
  return [...ranks].sort(([a], [b]) => a - b);
}

function offsetsOf(rows: readonly (readonly unknown[])[]): Uint32Array {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i]! + row.length;
  return offsets;
}

/** Runs of neighbours with the same key. */
function groupRuns<T>(items: readonly T[], key: (item: T) => string | number): T[][] {
  const runs: T[][] = [];
  let last: string | number | undefined;
  for (const item of items) {
    if (runs.length === 0 || key(item) !== last) runs.push([]);
    last = key(item);
    runs.at(-1)!.push(item);
  }
  return runs;
}
