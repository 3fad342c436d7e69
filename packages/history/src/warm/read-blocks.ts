import type { PointColumns, StateColumns } from '@nowcast/ports';
import type { Piece, PieceRequest } from '../piece.ts';
import { bucketAt, Cells, mostCells } from '../cells/cells.ts';
import { noSketches } from '../cells/no-sketches.ts';
import { type HourTable, hoursOfTable } from './hour-table.ts';
import { chunkPoints, type PointTable, pointsBefore, unpack } from './point-table.ts';

/** Points folded for one answer on the engine's thread: a few milliseconds; more of them are the warehouse's. */
const mostPoints = 1_000_000;
const mostSketched = 100_000;
const hourMs = 3_600_000;
const none = new Float64Array(0);

/** Rows of hours, or points, after which other work of the thread may run: about a millisecond of them. */
const sliceHours = 40_000;
const slicePoints = 50_000;

/** An answer that is made in slices; what it reads is not changed by anybody. */
export type Answer = Generator<void, Piece>;

/** A part `[from, to)` of the request's range and the tables that hold it. */
export interface Part<T> {
  start: number;
  from: number;
  to: number;
  tables: readonly T[];
}

/** The request with its series as slots of the tables: `units[i]` takes what slot `slots[i]` has. */
export interface SlotRequest extends PieceRequest {
  slots: Uint32Array;
}

/** Merged states from whole hours; borders must all be whole hours. Undefined when that is too much for memory. */
export function fromHours(request: SlotRequest, parts: readonly Part<HourTable>[]): Answer | undefined {
  return isTooLarge(request) ? undefined : addHours(request, parts);
}

function* addHours(request: SlotRequest, parts: readonly Part<HourTable>[]): Answer {
  const cells = cellsOf(request);
  const { selection, slots, borders } = request;
  const { units } = selection;
  let sinceYield = 0;
  for (const part of parts) {
    const bucketOf = bucketsOfHours(borders, part);
    for (const table of part.tables) {
      const { starts } = table;
      for (let i = 0; i < slots.length; i++) {
        const to = starts[slots[i]! + 1];
        if (to === undefined) continue;
        const from = starts[slots[i]!]!;
        cells.addHours(units[i]!, table, from, to, bucketOf);
        sinceYield += to - from;
        if (sinceYield < sliceHours) continue;
        sinceYield = 0;
        yield;
      }
    }
  }
  return { borders, selection, states: cells.columns(), points: undefined };
}

/** The same for a counter: its hours one by one, since only the grid knows how they chain. */
export function* growthFromHours(request: SlotRequest, parts: readonly Part<HourTable>[]): Answer {
  const { selection, slots, borders } = request;
  const sources = parts.flatMap((part) => {
    const bucketOf = bucketsOfHours(borders, part);
    return part.tables.map((table) => ({ table, bucketOf }));
  });
  let rows = 0;
  for (const { table } of sources) {
    for (let i = 0; i < slots.length; i++) {
      const to = table.starts[slots[i]! + 1] ?? 0;
      rows += to - (table.starts[slots[i]!] ?? to);
    }
  }
  const states = emptyGrowth(rows);
  const { group, bucket, first, firstAt, last, lastAt, growth } = states;
  let length = 0;
  let yielded = 0;
  for (let i = 0; i < slots.length; i++) {
    if (length - yielded >= sliceHours) {
      yielded = length;
      yield;
    }
    for (const { table, bucketOf } of sources) {
      const { starts, hour, columns } = table;
      const to = starts[slots[i]! + 1] ?? 0;
      for (let row = starts[slots[i]!] ?? to; row < to; row++) {
        if (bucketOf[hour[row]!]! < 0) continue;
        group[length] = selection.units[i]!;
        bucket[length] = bucketOf[hour[row]!]!;
        first[length] = columns.first[row]!;
        firstAt[length] = columns.firstAt[row]!;
        last[length] = columns.last[row]!;
        lastAt[length] = columns.lastAt[row]!;
        growth[length++] = columns.growth[row]!;
      }
    }
  }
  return { borders, selection, states: { ...states, length }, points: undefined };
}

function emptyGrowth(rows: number): StateColumns {
  return {
    length: rows,
    group: new Uint32Array(rows),
    bucket: new Uint32Array(rows),
    count: none,
    sum: none,
    min: none,
    max: none,
    first: new Float64Array(rows),
    firstAt: new Float64Array(rows),
    last: new Float64Array(rows),
    lastAt: new Float64Array(rows),
    growth: new Float64Array(rows),
    ...noSketches,
  };
}

/** Merged states from single points. Undefined when these are too many. */
export function fromPoints(request: SlotRequest, parts: readonly Part<PointTable>[]): Answer | undefined {
  if (pointsOf(request, parts) > (request.parts.quantiles ? mostSketched : mostPoints)) return undefined;
  return isTooLarge(request) ? undefined : addPoints(request, parts);
}

function* addPoints(request: SlotRequest, parts: readonly Part<PointTable>[]): Answer {
  const cells = cellsOf(request);
  const { borders, selection } = request;
  yield* visit(request, parts, (i, times, values, from, to) => {
    cells.addSorted(selection.units[i]!, borders, times, values, from, to);
  });
  return { borders, selection, states: cells.columns(), points: undefined };
}

/** The points themselves, for a counter that is followed point by point. Undefined when these are too many. */
export function rawPoints(request: SlotRequest, parts: readonly Part<PointTable>[]): Answer | undefined {
  return pointsOf(request, parts) > mostPoints ? undefined : listPoints(request, parts);
}

function* listPoints(request: SlotRequest, parts: readonly Part<PointTable>[]): Answer {
  const series: number[] = [];
  const timestamps: number[] = [];
  const found: number[] = [];
  yield* visit(request, parts, (i, times, values, from, to) => {
    for (let k = from; k < to; k++) {
      series.push(i);
      timestamps.push(times[k]!);
      found.push(values[k]!);
    }
  });
  const points: PointColumns = {
    length: series.length,
    series: Uint32Array.from(series),
    timestamps: Float64Array.from(timestamps),
    values: Float64Array.from(found),
    receivedAt: none,
    dataIds: undefined,
    actors: undefined,
    messages: undefined,
  };
  return { borders: request.borders, selection: request.selection, states: undefined, points };
}

/** Units and buckets of the cells of an answer. */
function sizeOf({ selection, borders }: PieceRequest): { units: number; buckets: number } {
  const units = selection.units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  return { units, buckets: borders.length - 1 };
}

function isTooLarge(request: PieceRequest): boolean {
  const { units, buckets } = sizeOf(request);
  return units * buckets > mostCells;
}

/** Made when the answer is begun, not when it is asked for: many may wait. */
function cellsOf(request: SlotRequest): Cells {
  const { units, buckets } = sizeOf(request);
  return new Cells(request.parts, units, buckets);
}

/** Bucket of each hour of a day's table; −1 outside the part. */
function bucketsOfHours(borders: Float64Array, { start, from, to }: Part<unknown>): Int32Array {
  const buckets = new Int32Array(hoursOfTable).fill(-1);
  for (let hour = 0; hour < hoursOfTable; hour++) {
    const time = start + hour * hourMs;
    if (time >= from && time < to) buckets[hour] = bucketAt(borders, time);
  }
  return buckets;
}

/** About how many points lie in the range: those of a chunk are taken to be spread evenly. */
function pointsOf({ slots }: SlotRequest, parts: readonly Part<PointTable>[]): number {
  let points = 0;
  for (const { from, to, tables } of parts) {
    for (const { starts, start, until, n } of tables) {
      for (let i = 0; i < slots.length; i++) {
        const end = starts[slots[i]! + 1] ?? 0;
        for (let chunk = starts[slots[i]!] ?? end; chunk < end; chunk++) {
          if (start[chunk]! >= to || until[chunk]! < from) continue;
          const inside = Math.min(to, until[chunk]!) - Math.max(from, start[chunk]!) + 1;
          points += (n[chunk]! * inside) / (until[chunk]! - start[chunk]! + 1);
        }
      }
    }
  }
  return points;
}

type Visitor = (i: number, times: Float64Array, values: Float64Array, from: number, to: number) => void;

/** Calls `visitor` with each chunk's points inside the range; `i` is the place of the series in the selection. */
function* visit(
  { slots }: SlotRequest,
  parts: readonly Part<PointTable>[],
  visitor: Visitor,
): Generator<void, void> {
  let sinceYield = 0;
  const times = new Float64Array(chunkPoints);
  const values = new Float64Array(chunkPoints);
  for (const { from, to, tables } of parts) {
    for (const table of tables) {
      const { starts, start, until } = table;
      for (let i = 0; i < slots.length; i++) {
        const end = starts[slots[i]! + 1] ?? 0;
        for (let chunk = starts[slots[i]!] ?? end; chunk < end; chunk++) {
          if (start[chunk]! >= to || until[chunk]! < from) continue;
          const low = pointsBefore(table, chunk, from);
          const found = unpack(table, chunk, times, values, low, pointsBefore(table, chunk, to));
          if (found > 0) visitor(i, times, values, 0, found);
          sinceYield += found;
        }
        if (sinceYield < slicePoints) continue;
        sinceYield = 0;
        yield;
      }
    }
  }
}
