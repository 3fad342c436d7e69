import type { OffsetVector } from '@nowcast/ports';
import { type HourKind, type HourTable, hourTable, rowsOf } from './hour-table.ts';
import { mergePoints, type PointTable } from './point-table.ts';

export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** Lengths a period of points may have; hours always come by the day. */
export const pointPeriods = [dayMs, dayMs / 4, hourMs] as const;

/** Tables of a block before those that flushes brought are joined. */
const mostTables = 6;
/** Chunks shorter than this on average are worth joining; a table of longer ones stays as it is. */
const shortChunk = 128;

export type BlockKind = HourKind | 'points';

/**
 * Everything the warehouse has of one metric in one period, as of exactly the vector `at`: what was loaded, and what
 * each flush since then brought. It answers readers of that very vector and nobody else.
 */
export interface Block {
  kind: BlockKind;
  start: number;
  length: number;
  at: number[];
  /** False while it is being loaded; flushes are taken all the same. */
  ready: boolean;
  tables: (HourTable | PointTable)[];
  /** Monotonic ms of the last read. */
  usedAt: number;
}

export function bytesOf(block: Block): number {
  return block.tables.reduce((sum, table) => sum + table.bytes, 0) + 200;
}

export function isAt(block: Block, at: OffsetVector): boolean {
  return at.every((offset, partition) => (block.at[partition] ?? 0) === offset);
}

/**
 * Joins what flushes brought, so that a read does not visit a table for each of them. Yields; until the end the block
 * is as it was, and takes what comes meanwhile.
 */
export function* tidy(block: Block): Generator<void, void> {
  if (!block.ready || block.tables.length <= mostTables) return;
  if (block.kind === 'points') {
    const tables = block.tables as PointTable[];
    const short = tables.filter((table) => table.points < shortChunk * table.n.length);
    if (short.length <= mostTables) return;
    const merged = yield* mergePoints(short);
    block.tables = [...(block.tables as PointTable[]).filter((table) => !short.includes(table)), merged];
    return;
  }
  const tables = block.tables as HourTable[];
  const [base, ...brought] = tables;
  const rows = brought.reduce((sum, table) => sum + table.hour.length, 0);
  // The large one is rewritten only when that is not most of the work again and again.
  const kept = base !== undefined && rows * 3 < base.hour.length ? [base] : [];
  const merged = kept.length > 0 ? brought : tables;
  const slots = Math.max(...merged.map((table) => table.starts.length - 1));
  block.tables = [...kept, hourTable(block.kind, slots, merged.map(rowsOf))];
  yield;
}
