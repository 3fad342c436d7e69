import type { ChunkRows, FlushBlock, StateRows } from '@nowcast/ports';
import { type Block, hourMs } from './block.ts';
import { noSketches } from '../cells/no-sketches.ts';
import { type HourRows, type HourTable, hourTable } from './hour-table.ts';
import type { WarmMetric } from './metric.ts';
import { type PointTable, sortAndPack } from './point-table.ts';

/**
 * What a flush brings to each of the blocks given, as a table of its own; blocks it has nothing for are left out.
 * Yields between blocks, and every few thousand rows, so that other work of the thread can run.
 */
export function* flushTables(
  flush: FlushBlock,
  wanted: readonly { metric: WarmMetric; blocks: readonly Block[] }[],
): Generator<void, Map<Block, HourTable | PointTable>> {
  const tables = new Map<Block, HourTable | PointTable>();
  for (const { metric, blocks } of wanted) {
    const hours = blocks.filter((block) => block.kind !== 'points');
    const rows = hours.length === 0 ? [] : rowsOfMetric(flush.states, metric);
    yield;
    for (const block of hours) {
      const found = hourRows(flush.states, rows, block);
      if (found.length > 0)
        tables.set(block, hourTable(block.kind as 'scalar' | 'ends', metric.slotCount, [found]));
      yield;
    }
    for (const block of blocks) {
      if (block.kind !== 'points') continue;
      const found = yield* pointTable(flush.chunks, metric, block);
      if (found !== undefined) tables.set(block, found);
      yield;
    }
  }
  return tables;
}

/** Runs `[start, end)` of the metric's rows that share a series. */
function rowsOfMetric(rows: StateRows, metric: WarmMetric): { slot: number; start: number; end: number }[] {
  const found: { slot: number; start: number; end: number }[] = [];
  // Halves of the ids: each look at a whole one would make a bigint.
  const ids = new Uint32Array(rows.series.buffer, rows.series.byteOffset, rows.series.length * 2);
  for (let start = 0; start < rows.length;) {
    const [low, high] = [ids[2 * start], ids[2 * start + 1]];
    let end = start + 1;
    while (end < rows.length && ids[2 * end] === low && ids[2 * end + 1] === high) end++;
    if (rows.metric[start] === metric.name && rows.tenant[start] === metric.tenant) {
      const slot = metric.slotOf(rows.series[start]!);
      if (slot !== undefined) found.push({ slot, start, end });
    }
    start = end;
  }
  return found;
}

function hourRows(
  states: StateRows,
  runs: readonly { slot: number; start: number; end: number }[],
  block: Block,
): HourRows {
  const slot: number[] = [];
  const hour: number[] = [];
  const entry: number[] = [];
  const end = block.start + block.length;
  for (const run of runs) {
    // Rows of a series ascend; most runs lie in one day.
    if (states.bucket[run.start]! >= end || states.bucket[run.end - 1]! < block.start) continue;
    for (let i = run.start; i < run.end; i++) {
      const offset = states.bucket[i]! - block.start;
      if (offset < 0 || offset >= block.length) continue;
      slot.push(run.slot);
      hour.push(Math.floor(offset / hourMs));
      entry.push(i);
    }
  }
  return {
    length: slot.length,
    slot: Uint32Array.from(slot),
    hour: Uint8Array.from(hour),
    entry: Uint32Array.from(entry),
    source: { ...states, ...noSketches },
  };
}

function* pointTable(
  chunks: ChunkRows,
  metric: WarmMetric,
  block: Block,
): Generator<void, PointTable | undefined> {
  const end = block.start + block.length;
  const found: { slot: number; from: number; to: number }[] = [];
  for (let i = 0; i < chunks.count; i++) {
    if (chunks.metric[i] !== metric.name || chunks.tenant[i] !== metric.tenant) continue;
    const [first, last] = [chunks.offsets[i]!, chunks.offsets[i + 1]!];
    const from = lowerBound(chunks.timestamps, first, last, block.start);
    const to = lowerBound(chunks.timestamps, from, last, end);
    const slot = from < to ? metric.slotOf(chunks.series[i]!) : undefined;
    if (slot !== undefined) found.push({ slot, from, to });
  }
  if (found.length === 0) return undefined;
  yield;
  // A stable sort: the chunks of a series follow each other.
  found.sort((a, b) => a.slot - b.slot);
  const starts = new Uint32Array(metric.slotCount + 1);
  for (const { slot, from, to } of found) starts[slot + 1]! += to - from;
  for (let slot = 0; slot < metric.slotCount; slot++) starts[slot + 1]! += starts[slot]!;
  const timestamps = new Float64Array(starts.at(-1)!);
  const values = new Float64Array(timestamps.length);
  let at = 0;
  for (const { from, to } of found) {
    timestamps.set(chunks.timestamps.subarray(from, to), at);
    values.set(chunks.values.subarray(from, to), at);
    at += to - from;
  }
  return yield* sortAndPack({ starts, timestamps, values });
}

function lowerBound(column: Float64Array, start: number, end: number, bound: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
