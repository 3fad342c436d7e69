import { appError } from '@nowcast/contract';
import type { StateColumns, StatesRequest } from '@nowcast/ports';
import { cover } from './coverage.ts';
import type { Manifest } from './manifest.ts';
import { type ArrayColumn, type NativeAnswer, readNative } from './native-reader.ts';
import { hourMs } from './schema.ts';
import type { SqlConnection } from './sql-connection.ts';
import { noGroup, sketchesStatement, type Statement, statesStatement } from './state-sql.ts';

/** Derived rows count the points of every resolution: they stand in only where all of these are asked for. */
const stateResolutions = [10_000, 60_000, hourMs];
const sketchResolutions = [60_000, hourMs];

/** `Warehouse.readStates`: one statement for the numbers, one for the sketches, joined here when both are wanted. */
export async function readStates(
  connection: SqlConnection,
  manifest: Manifest,
  request: StatesRequest,
): Promise<StateColumns> {
  check(request);
  const { parts } = request;
  if (request.series.length === 0 || request.from >= request.to || request.buckets.length < 2)
    return emptyColumns(0);
  const run = async (
    wanted: boolean,
    compile: typeof statesStatement,
    resolutions: readonly number[],
  ): Promise<Found | undefined> => {
    if (!wanted) return undefined;
    const coarse = request.coarse && resolutions.every((res) => request.resolutions.includes(res));
    const coverage = cover(manifest, { ...request, coarse });
    const statement = compile(request, coverage, manifest.lastGen);
    if (statement.sql === '') return undefined;
    const { timeoutMs, signal } = request.limits;
    const bytes = await connection.query(statement.sql, statement.params, {
      lane: 'read',
      timeoutMs,
      signal,
    });
    return new Found(readNative(bytes), statement);
  };
  const [states, sketches] = await Promise.all([
    run(parts.scalar || parts.ends || parts.growth, statesStatement, stateResolutions),
    run(parts.quantiles || parts.uniques, sketchesStatement, sketchResolutions),
  ]);
  return assemble(request, states, sketches);
}

function check(request: StatesRequest): void {
  if (request.series.length !== request.groups.length) {
    throw appError('server.error', 'every series of a states request needs a group');
  }
}

/** An answer without the rows of series that were not asked for. */
class Found {
  readonly answer: NativeAnswer;
  /** Rows of the answer that count. */
  readonly rows: Uint32Array;
  readonly group: Uint32Array;
  readonly bucket: Uint32Array;

  constructor(answer: NativeAnswer, statement: Statement) {
    this.answer = answer;
    const g = answer.fixed('g', 'UInt32');
    const b = answer.fixed('b', 'UInt32');
    const rows = new Uint32Array(answer.rows);
    let kept = 0;
    for (let i = 0; i < rows.length; i++) if (g[i] !== noGroup) rows[kept++] = i;
    this.rows = rows.subarray(0, kept);
    this.group = this.rows.map((row) => g[row]!);
    this.bucket = this.rows.map((row) => statement.bucketOf(b[row]!));
  }

  numbers(name: string): Float64Array {
    const all = this.answer.numbers(name);
    return this.rows.length === all.length ? all : Float64Array.from(this.rows, (row) => all[row]!);
  }
}

/** Where each row of the sketches goes: beside the states of the same (group, bucket), or behind them. */
function assemble(
  request: StatesRequest,
  states: Found | undefined,
  sketches: Found | undefined,
): StateColumns {
  if (states === undefined && sketches === undefined) return emptyColumns(0);
  if (sketches === undefined)
    return withStates(emptyColumns(states!.rows.length), request, states!, states!.rows.length);
  const base = states?.rows.length ?? 0;
  const target = new Uint32Array(sketches.rows.length);
  let length = base;
  const buckets = request.buckets.length;
  const known = new Map<number, number>();
  for (let i = 0; i < base; i++) known.set(states!.group[i]! * buckets + states!.bucket[i]!, i);
  for (let i = 0; i < target.length; i++) {
    const row = known.get(sketches.group[i]! * buckets + sketches.bucket[i]!);
    target[i] = row ?? length++;
  }
  const columns = emptyColumns(length);
  if (states !== undefined) withStates(columns, request, states, length);
  for (let i = 0; i < target.length; i++) {
    columns.group[target[i]!] = sketches.group[i]!;
    columns.bucket[target[i]!] = sketches.bucket[i]!;
  }
  return withSketches(columns, request, sketches, target);
}

function withStates(
  columns: StateColumns,
  request: StatesRequest,
  states: Found,
  length: number,
): StateColumns {
  const { parts } = request;
  const names: Partial<Record<keyof StateColumns, string>> = {
    ...(parts.scalar ? { count: 'o_n', sum: 'o_sum' } : {}),
    ...(parts.extremes ? { min: 'o_min', max: 'o_max' } : {}),
    ...(parts.ends || parts.growth
      ? {
          first: 'o_first',
          firstAt: 'o_first_at',
          last: 'o_last',
          lastAt: 'o_last_at',
        }
      : {}),
    ...(parts.growth ? { growth: 'o_growth' } : {}),
  };
  columns.group.set(states.group);
  columns.bucket.set(states.bucket);
  const filled: Partial<Record<keyof StateColumns, Float64Array>> = {};
  for (const [field, name] of Object.entries(names) as [keyof StateColumns, string][]) {
    const values = states.numbers(name);
    if (values.length === length) filled[field] = values;
    else {
      const padded = new Float64Array(length).fill(field === 'count' ? 0 : Number.NaN);
      padded.set(values);
      filled[field] = padded;
    }
  }
  if (parts.growth && new Set(request.groups).size < request.groups.length) filled.growth?.fill(Number.NaN);
  return Object.assign(columns, filled);
}

function withSketches(
  columns: StateColumns,
  request: StatesRequest,
  sketches: Found,
  target: Uint32Array,
): StateColumns {
  const { answer, rows } = sketches;
  if (request.parts.quantiles) {
    const index = answer.array('o_dd_index', 'Int32');
    const counts = answer.array('o_dd_count', 'UInt64');
    const placed = place(columns.length, rows, target, index.offsets);
    columns.ddOffsets = placed.offsets;
    columns.ddIndex = placed.gather(index, new Int32Array(placed.size));
    columns.ddCount = Float64Array.from(placed.gather(counts, new BigUint64Array(placed.size)), Number);
  }
  if (request.parts.uniques) {
    const registers = answer.array('o_hll_register', 'UInt16');
    const ranks = answer.array('o_hll_rank', 'UInt8');
    const placed = place(columns.length, rows, target, registers.offsets);
    columns.hllOffsets = placed.offsets;
    columns.hllRegister = placed.gather(registers, new Uint16Array(placed.size));
    columns.hllRank = placed.gather(ranks, new Uint8Array(placed.size));
  }
  return columns;
}

/** Moves ragged rows to their places. */
function place(length: number, rows: Uint32Array, target: Uint32Array, from: Uint32Array) {
  const offsets = new Uint32Array(length + 1);
  for (let i = 0; i < rows.length; i++) offsets[target[i]! + 1] = from[rows[i]! + 1]! - from[rows[i]!]!;
  for (let i = 0; i < length; i++) offsets[i + 1]! += offsets[i]!;
  const gather = <T extends Int32Array | BigUint64Array | Uint16Array | Uint8Array>(
    source: ArrayColumn<T>,
    out: T,
  ): T => {
    for (let i = 0; i < rows.length; i++) {
      const piece = source.values.subarray(from[rows[i]!], from[rows[i]! + 1]);
      (out as Uint8Array).set(piece as Uint8Array, offsets[target[i]!]);
    }
    return out;
  };
  return { offsets, size: offsets[length]!, gather };
}

const none = new Float64Array(0);

function emptyColumns(length: number): StateColumns {
  return {
    length,
    group: new Uint32Array(length),
    bucket: new Uint32Array(length),
    count: none,
    sum: none,
    min: none,
    max: none,
    first: none,
    firstAt: none,
    last: none,
    lastAt: none,
    growth: none,
    ddOffsets: new Uint32Array(length + 1),
    ddIndex: new Int32Array(0),
    ddCount: none,
    hllOffsets: new Uint32Array(length + 1),
    hllRegister: new Uint16Array(0),
    hllRank: new Uint8Array(0),
  };
}
