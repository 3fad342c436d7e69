import { inSlices } from '@nowcast/kernel/slices';
import type { OffsetVector, PointColumns, StateColumns } from '@nowcast/ports';
import { fineResolutions } from '../resolutions.ts';
import type { StoredRows } from '../stored-rows.ts';
import { type Block, dayMs, hourMs } from './block.ts';
import { type HourKind, type HourTable, hourTable, hoursOfTable } from './hour-table.ts';
import type { WarmMetric } from './metric.ts';
import { type PointTable, slicePoints, sortAndPack } from './point-table.ts';

const limits = { timeoutMs: 30_000 };
const nothing = {
  scalar: false,
  extremes: false,
  ends: false,
  growth: false,
  quantiles: false,
  uniques: false,
};
const partsOfKind = {
  scalar: { ...nothing, scalar: true, extremes: true },
  ends: { ...nothing, ends: true, growth: true },
} as const;

const turn = () => new Promise(setImmediate);

/** The states of consecutive days by the hour, as one statement: a table for each of `blocks`. */
export async function loadHours(
  warehouse: StoredRows,
  metric: WarmMetric,
  kind: HourKind,
  blocks: readonly Block[],
  at: OffsetVector,
): Promise<HourTable[]> {
  const from = blocks[0]!.start;
  const to = from + blocks.length * dayMs;
  const { series, slots } = metric.ids();
  const slotCount = slots.length;
  const states = await warehouse.readStates({
    at,
    tenant: metric.tenant,
    metric: metric.name,
    series,
    groups: slots,
    from,
    to,
    buckets: Float64Array.from({ length: (to - from) / hourMs + 1 }, (_, i) => from + i * hourMs),
    resolutions: fineResolutions,
    coarse: true,
    parts: partsOfKind[kind],
    limits,
  });
  const rows = rowsByDay(states, blocks.length);
  const tables: HourTable[] = [];
  for (const entry of rows) {
    await turn();
    const piece = {
      length: entry.length,
      slot: entry.map((i) => states.group[i]!),
      hour: Uint8Array.from(entry, (i) => states.bucket[i]! % hoursOfTable),
      entry,
      source: states,
    };
    tables.push(hourTable(kind, slotCount, [piece]));
  }
  return tables;
}

/** Entries of each day. */
function rowsByDay({ length, bucket }: StateColumns, days: number): Uint32Array[] {
  const counts = new Uint32Array(days);
  for (let i = 0; i < length; i++) counts[Math.floor(bucket[i]! / hoursOfTable)]!++;
  const rows = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let i = 0; i < length; i++) {
    const day = Math.floor(bucket[i]! / hoursOfTable);
    rows[day]![counts[day]!++] = i;
  }
  return rows;
}

export async function loadPoints(
  warehouse: StoredRows,
  metric: WarmMetric,
  { start, length }: Block,
  at: OffsetVector,
): Promise<PointTable> {
  const { series, slots } = metric.ids();
  const slotCount = slots.length;
  const points = await warehouse.readPoints({
    at,
    tenant: metric.tenant,
    metric: metric.name,
    series,
    from: start,
    to: start + length,
    records: false,
    limits,
  });
  await turn();
  return inSlices(pointTable(points, slots, slotCount));
}

function* pointTable(
  points: PointColumns,
  slots: Uint32Array,
  slotCount: number,
): Generator<void, PointTable> {
  const starts = new Uint32Array(slotCount + 1);
  for (let i = 0; i < points.length; i++) starts[slots[points.series[i]!]! + 1]!++;
  yield;
  for (let slot = 0; slot < slotCount; slot++) starts[slot + 1]! += starts[slot]!;
  const next = starts.slice();
  const timestamps = new Float64Array(points.length);
  const values = new Float64Array(points.length);
  for (let i = 0; i < points.length; i++) {
    const target = next[slots[points.series[i]!]!]!++;
    timestamps[target] = points.timestamps[i]!;
    values[target] = points.values[i]!;
    if (i % slicePoints === 0) yield;
  }
  return yield* sortAndPack({ starts, timestamps, values });
}
