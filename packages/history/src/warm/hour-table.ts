import { StateGrid, type StateSource } from '@nowcast/aggregate';
import { noSketches } from '../cells/no-sketches.ts';

/** What of the states a table holds: wide ranges mostly ask for one of the two, and each is half of the memory. */
export type HourKind = 'scalar' | 'ends';

export const hoursOfTable = 24;
const nothing = { scalar: false, ends: false, growth: false, quantiles: false, uniques: false };
const partsOfKind = {
  scalar: { ...nothing, scalar: true },
  ends: { ...nothing, ends: true, growth: true },
} as const;

/** States of one metric's series by the hour, for one day; rows of a slot lie together, ascending in time. */
export interface HourTable {
  /** Rows of slot s are `starts[s]` … `starts[s + 1]`; slots beyond have none. */
  starts: Uint32Array;
  hour: Uint8Array;
  /** Columns of the table's kind; the others are empty. */
  columns: StateSource;
  bytes: number;
}

/** Rows in any order, several of one (slot, hour) among them. */
export interface HourRows {
  length: number;
  slot: Uint32Array;
  hour: Uint8Array;
  /** Row i of the table to be is entry `entry[i]` of `source`. */
  entry: Uint32Array;
  source: StateSource;
}

/**
 * One row for each (slot, hour) of the given pieces. Growth is chained in time order; where rows of an hour overlap in
 * time it is NaN, as the warehouse answers it.
 */
export function hourTable(kind: HourKind, slotCount: number, pieces: readonly HourRows[]): HourTable {
  const { order, ends } = byCell(slotCount, pieces);
  const parts = partsOfKind[kind];
  const grid = new StateGrid(parts, Math.max(1, ends.length));
  const starts = new Uint32Array(slotCount + 1);
  const hour = new Uint8Array(ends.length);
  const broken: number[] = [];
  for (let row = 0, from = 0; row < ends.length; from = ends[row++]!) {
    const refs = order.slice(from, ends[row]);
    if (kind === 'ends' && refs.length > 1) refs.sort(inTime);
    for (const { piece, i } of refs) grid.mergeColumns(row, piece.source, piece.entry[i]!);
    if (grid.counterOverlap) broken.push(row);
    grid.counterOverlap = false;
    const { piece, i } = refs[0]!;
    hour[row] = piece.hour[i]!;
    starts[piece.slot[i]! + 1]!++;
  }
  for (let slot = 0; slot < slotCount; slot++) starts[slot + 1]! += starts[slot]!;
  for (const row of broken) grid.breakGrowth(row);
  const columns = columnsOf(grid, ends.length);
  const width = kind === 'scalar' ? 4 : 5;
  return { starts, hour, columns, bytes: starts.byteLength + hour.length * (1 + 8 * width) };
}

/** All rows of a table, to be merged with others. */
export function rowsOf({ starts, hour, columns }: HourTable): HourRows {
  const slot = new Uint32Array(hour.length);
  for (let s = 0; s + 1 < starts.length; s++) slot.fill(s, starts[s], starts[s + 1]);
  return { length: hour.length, slot, hour, entry: Uint32Array.from(hour.keys()), source: columns };
}

interface Ref {
  piece: HourRows;
  i: number;
}

/** References to all rows by (slot, hour), and where those of each cell end. */
function byCell(slotCount: number, pieces: readonly HourRows[]): { order: Ref[]; ends: Uint32Array } {
  const next = new Uint32Array(slotCount * hoursOfTable + 1);
  for (const { length, slot, hour } of pieces)
    for (let i = 0; i < length; i++) next[slot[i]! * hoursOfTable + hour[i]! + 1]!++;
  const ends: number[] = [];
  for (let cell = 1; cell < next.length; cell++) {
    const isFilled = next[cell]! > 0;
    next[cell]! += next[cell - 1]!;
    if (isFilled) ends.push(next[cell]!);
  }
  const order: Ref[] = Array.from({ length: ends.at(-1) ?? 0 });
  for (const piece of pieces) {
    const { length, slot, hour } = piece;
    for (let i = 0; i < length; i++) order[next[slot[i]! * hoursOfTable + hour[i]!]!++] = { piece, i };
  }
  return { order, ends: Uint32Array.from(ends) };
}

function inTime(a: Ref, b: Ref): number {
  const { source: x, entry: xs } = a.piece;
  const { source: y, entry: ys } = b.piece;
  const [i, k] = [xs[a.i]!, ys[b.i]!];
  const begin = x.firstAt[i]! - y.firstAt[k]! || x.first[i]! - y.first[k]!;
  return begin || x.lastAt[i]! - y.lastAt[k]! || x.last[i]! - y.last[k]!;
}

function columnsOf(grid: StateGrid, length: number): StateSource {
  const sum = new Float64Array(grid.parts.scalar ? length : 0);
  for (let row = 0; row < sum.length; row++) sum[row] = grid.sumOf(row);
  return {
    count: grid.column('count', length),
    sum,
    min: grid.column('min', length),
    max: grid.column('max', length),
    first: grid.column('first', length),
    firstAt: grid.column('firstAt', length),
    last: grid.column('last', length),
    lastAt: grid.column('lastAt', length),
    growth: grid.column('growth', length),
    ...noSketches,
  };
}
