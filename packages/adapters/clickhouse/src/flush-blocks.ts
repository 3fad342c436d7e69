import type { ChunkRows, FlushBlock, SeriesRows, SketchRows, StateRows } from '@nowcast/ports';
import { ChunkColumns } from './chunk-columns.ts';
import { Int64Column } from './int64-column.ts';
import { type NativeBlock, NativeWriter, StringColumn } from './native-writer.ts';
import { hourMs } from './schema.ts';
import { StatePacker } from './state-columns.ts';

/**
 * Turns the rows of a flush into one block a table. Generators, so that the thread that also serves live views can do
 * other work between slices: `yield` comes about every 12,000 points or rows, two milliseconds.
 */
const slice = 12_000;

export interface FlushIdentity {
  partition: number;
  to: number;
}

/** Flush of each point of a chunk that was compacted from several: ragged, one run per flush and row. */
export interface FlushRuns {
  offsets: Uint32Array;
  lengths: Uint32Array;
  flushes: BigUint64Array;
}

export interface ChunkOrigin {
  partition: number;
  /** `flush_to` of each row, or of all. */
  flushTo: number | BigUint64Array;
  gen: number;
  runs: FlushRuns | undefined;
}

export function* chunkBlock(rows: ChunkRows, origin: ChunkOrigin): Generator<void, NativeBlock> {
  const columns = new ChunkColumns(rows.count, rows.offsets[rows.count] ?? 0);
  let packed = 0;
  for (let i = 0; i < rows.count; i++) {
    columns.pack(i, rows, rows.offsets[i]!, rows.offsets[i + 1]!);
    if (rows.offsets[i + 1]! - packed < slice) continue;
    packed = rows.offsets[i + 1]!;
    yield;
  }
  const out = new NativeWriter(rows.count);
  out.lowCardinality('tenant', rows.tenant);
  out.lowCardinality('metric', rows.metric);
  out.fixed('series', 'UInt64', rows.series);
  writePacked(out, columns);
  out.fixed('state_res', 'UInt32', rows.stateRes);
  out.fixed('sketch_res', 'UInt32', rows.sketchRes);
  writeTexts(out, 'data_ids', rows.offsets, rows.dataIds);
  writeTexts(out, 'actors', rows.offsets, rows.actors);
  writeTexts(out, 'messages', rows.offsets, rows.messages);
  if (origin.runs !== undefined) {
    out.array('run_lengths', 'UInt32', origin.runs.offsets, origin.runs.lengths);
    out.array('run_flushes', 'UInt64', origin.runs.offsets, origin.runs.flushes);
  }
  out.constant('partition', 'UInt16', origin.partition);
  if (typeof origin.flushTo === 'number') out.constant('flush_to', 'UInt64', origin.flushTo);
  else out.fixed('flush_to', 'UInt64', origin.flushTo);
  out.constant('gen', 'UInt32', origin.gen);
  return out.finish();
}

function writePacked(out: NativeWriter, columns: ChunkColumns): void {
  out.fixed('start', 'Int64', columns.start.values);
  out.fixed('until', 'Int64', columns.end.values);
  out.fixed('n', 'UInt32', columns.n);
  out.fixed('time_scale', 'UInt16', columns.timeScale);
  out.fixed('time_fraction', 'UInt16', columns.timeFraction);
  out.fixed('time_step', 'UInt32', columns.timeStep);
  out.fixed('exponent', 'UInt8', columns.exponent);
  out.fixed('first', 'Int64', columns.first.values);
  out.fixed('receipt_lag', 'Int64', columns.receiptLag.values);
  out.fixed('receipt_step', 'Int32', columns.receiptStep);
  out.array('time_steps', 'UInt32', columns.timeSteps.offsets, columns.timeSteps.values);
  out.array('time_raw', 'Float64', columns.timeRaw.offsets, columns.timeRaw.values);
  out.array('steps8', 'Int8', columns.steps8.offsets, columns.steps8.values);
  out.array('steps16', 'Int16', columns.steps16.offsets, columns.steps16.values);
  out.array('steps32', 'Int32', columns.steps32.offsets, columns.steps32.values);
  out.array('steps64', 'Int64', columns.steps64.offsets, columns.steps64.values);
  out.array('values_raw', 'Float64', columns.valuesRaw.offsets, columns.valuesRaw.values);
  out.array('receipt_steps', 'Int32', columns.receiptSteps.offsets, columns.receiptSteps.values);
  out.array('receipt_runs', 'UInt32', columns.receiptRuns.offsets, columns.receiptRuns.values);
}

/** A column that a chunk has no text for is left out of its row; one that the flush has none for, out of the block. */
function writeTexts(
  out: NativeWriter,
  name: string,
  offsets: Uint32Array,
  texts: ChunkRows['messages'],
): void {
  if (texts === undefined) return;
  const rowOffsets = new Uint32Array(offsets.length);
  const kept = new StringColumn();
  for (let row = 0; row + 1 < offsets.length; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    let used = false;
    for (let i = start; i < end && !used; i++) used = texts[i] !== undefined;
    if (used) for (let i = start; i < end; i++) kept.add(texts[i] ?? '');
    rowOffsets[row + 1] = kept.length;
  }
  out.stringArray(name, rowOffsets, kept);
}

export function* stateBlock(rows: StateRows, flush: FlushIdentity): Generator<void, NativeBlock> {
  const packer = new StatePacker(rows);
  for (let at = 0; at < rows.length; at += slice) {
    packer.pack(at, Math.min(at + slice, rows.length));
    yield;
  }
  const { columns } = packer;
  const out = new NativeWriter(rows.length);
  out.lowCardinality('tenant', rows.tenant);
  out.lowCardinality('metric', rows.metric);
  out.fixed('series', 'UInt64', rows.series);
  out.fixed('res', 'UInt32', rows.res);
  out.fixed('bucket', 'Int64', wholeNumbers(rows.bucket));
  out.fixed('n', 'UInt32', columns.n);
  out.fixed('scale', 'Float64', columns.scale);
  out.fixed('first', 'Int64', columns.first.values);
  out.fixed('low', 'Int64', columns.low.values);
  out.fixed('high', 'Int64', columns.high.values);
  out.fixed('last', 'Int64', columns.last.values);
  out.fixed('total', 'Int64', columns.total.values);
  out.fixed('growth', 'Int64', columns.growth.values);
  out.fixed('time_scale', 'Float64', columns.timeScale);
  out.fixed('first_in', 'Int64', columns.firstIn.values);
  out.fixed('last_in', 'Int64', columns.lastIn.values);
  writeFlush(out, flush);
  return out.finish();
}

export function sketchBlock(rows: SketchRows, flush: FlushIdentity): NativeBlock {
  const out = new NativeWriter(rows.length);
  out.lowCardinality('tenant', rows.tenant);
  out.lowCardinality('metric', rows.metric);
  out.fixed('series', 'UInt64', rows.series);
  out.fixed('res', 'UInt32', rows.res);
  out.fixed('bucket', 'Int64', wholeNumbers(rows.bucket));
  out.array('dd_index', 'Int32', rows.ddOffsets, rows.ddIndex);
  out.array('dd_count', 'UInt32', rows.ddOffsets, new Uint32Array(rows.ddCount));
  out.array('hll_register', 'UInt16', rows.hllOffsets, rows.hllRegister);
  out.array('hll_rank', 'UInt8', rows.hllOffsets, rows.hllRank);
  writeFlush(out, flush);
  return out.finish();
}

/** A definition takes about as long as eight points. */
const seriesSlice = slice / 8;

export function* seriesBlock(rows: SeriesRows, flush: FlushIdentity): Generator<void, NativeBlock> {
  const locals = new Uint32Array(rows.length);
  const ids = new BigUint64Array(rows.length);
  const offsets = new Uint32Array(rows.length + 1);
  const [tenants, metrics, sources] = [new StringColumn(), new StringColumn(), new StringColumn()];
  const [names, values] = [new StringColumn(), new StringColumn()];
  let row = 0;
  for (const { local, id, definition } of rows) {
    locals[row] = local;
    ids[row] = id;
    tenants.add(definition.tenant);
    metrics.add(definition.metric_type);
    sources.add(definition.source);
    for (const [name, value] of definition.labels) {
      names.add(name);
      values.add(value);
    }
    row += 1;
    offsets[row] = names.length;
    if (row % seriesSlice === 0) yield;
  }
  const out = new NativeWriter(rows.length);
  out.constant('partition', 'UInt16', flush.partition);
  out.fixed('local', 'UInt32', locals);
  out.fixed('id', 'UInt64', ids);
  out.strings('tenant', tenants);
  out.strings('metric', metrics);
  out.strings('source', sources);
  out.stringArray('label_names', offsets, names);
  out.stringArray('label_values', offsets, values);
  out.constant('flush_to', 'UInt64', flush.to);
  return out.finish();
}

/** Hours (epoch ms of their start) that the flush has fine rows in, ascending. */
export function touchedHours(block: FlushBlock): number[] {
  const hours = new Set<number>();
  for (const buckets of [block.states.bucket, block.sketches.bucket]) {
    let last = Number.NaN;
    for (const bucket of buckets) {
      const hour = Math.floor(bucket / hourMs) * hourMs;
      if (hour !== last) hours.add(hour);
      last = hour;
    }
  }
  return [...hours].sort((a, b) => a - b);
}

export function touchedBlock(hours: readonly number[], flush: FlushIdentity): NativeBlock {
  const out = new NativeWriter(hours.length);
  out.fixed('hour', 'Int64', wholeNumbers(Float64Array.from(hours)));
  writeFlush(out, flush);
  return out.finish();
}

function writeFlush(out: NativeWriter, flush: FlushIdentity): void {
  out.constant('partition', 'UInt16', flush.partition);
  out.constant('flush_to', 'UInt64', flush.to);
}

function wholeNumbers(values: Float64Array): BigInt64Array {
  const out = new Int64Column(values.length);
  for (let i = 0; i < values.length; i++) out.set(i, values[i]!);
  return out.values;
}
