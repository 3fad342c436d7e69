import type { PointRecord, SeriesLabels } from './down.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { unzigzag, zigzagOf } from './bytes.ts';

/**
 * Snapshot and delta as columns: what the engine has, what the wire carries, what a chart draws. No object a cell.
 * NaN stands for "no value" (null in JSON). Arrays may be longer than `count`: encoders reuse their buffers.
 */
export interface SeriesColumns {
  /** Unsigned 32 bits, unique within the view for as long as the subscription lives. */
  key: number;
  labels: SeriesLabels;
  /** Bucket starts, epoch ms, ascending. */
  timestamps: Float64Array;
  values: Float64Array;
}

export interface SnapshotColumns {
  epoch: string;
  seq: string;
  /** False: what was known before must be dropped. */
  recovered: boolean;
  stepMs: number;
  /** Range covered, epoch ms, `to` exclusive. */
  from: number;
  to: number;
  series: readonly SeriesColumns[];
  /** Records of an `agg=none` view, oldest first. */
  points?: readonly PointRecord[];
  /** Where an answer was approximated or cut, in words for people. */
  note?: string;
}

export interface DeltaColumns {
  /** The `seq` this delta continues from. */
  baseSeq: string;
  seq: string;
  /** Wall clock of the server when the newest record in this delta was received, epoch ms; 0 when it holds none. */
  newest: number;
  /** Series first used by this delta. */
  series: readonly { key: number; labels: SeriesLabels }[];
  /** Keys that left the view. Applied before `series` and the cells. */
  removed: readonly number[];
  /** Cells in use: `keys[i]`, `buckets[i]`, `values[i]` for i < count. The latest cell of a bucket wins. */
  count: number;
  keys: Uint32Array;
  /** Bucket starts, epoch ms. */
  buckets: Float64Array;
  values: Float64Array;
  points?: readonly PointRecord[];
}

/**
 * Times. `raw`: f64 each. `stride`: first, then one distance for all (0: all equal). `steps`: first, a unit (the
 * greatest common divisor of the distances, so calendar steps work too), then each distance in units.
 */
const timeMode = { raw: 0, stride: 1, steps: 2 } as const;
const largestExactTime = 2 ** 50;

function gcd(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

export function writeTimes(writer: ByteWriter, times: Float64Array, count: number): void {
  if (count === 0) return;
  let unit = 0;
  let regular = true;
  const stride = count > 1 ? times[1]! - times[0]! : 0;
  for (let index = 0; index < count; index++) {
    const time = times[index]!;
    if (!Number.isInteger(time) || Math.abs(time) > largestExactTime || Object.is(time, -0)) {
      writeRaw(writer, timeMode.raw, times, count);
      return;
    }
    if (index === 0) continue;
    const distance = time - times[index - 1]!;
    if (distance !== stride) regular = false;
    if (unit !== 1) unit = gcd(Math.abs(distance), unit);
  }
  writer.u8(regular ? timeMode.stride : timeMode.steps);
  writer.zigzag(times[0]!);
  if (regular) {
    writer.zigzag(stride);
    return;
  }
  writer.varint(unit);
  for (let index = 1; index < count; index++) writer.zigzag((times[index]! - times[index - 1]!) / unit);
}

/** The caller has proved that `count` is no more than the bytes left, so this cannot be made to allocate freely. */
export function readTimes(reader: ByteReader, count: number): Float64Array {
  const times = new Float64Array(count);
  if (count === 0) return times;
  const mode = reader.u8();
  if (mode === timeMode.raw) return readRaw(reader, times);
  if (mode !== timeMode.stride && mode !== timeMode.steps) throw reader.invalid(`unknown time mode ${mode}`);
  let time = reader.zigzag();
  times[0] = time;
  const unit = mode === timeMode.stride ? reader.zigzag() : reader.varint();
  for (let index = 1; index < count; index++) {
    time += mode === timeMode.stride ? unit : reader.zigzag() * unit;
    times[index] = time;
  }
  return times;
}

/**
 * Values. `raw`: f64 each. Else decimals: most measurements are short decimal numbers, so a column whose every value
 * is exactly n / 10^places is sent as the varint differences of n; 0 stands for NaN. Bit-exact, or not used: the
 * encoder checks the very division that the decoder will do.
 */
const rawValues = 255;
const mostPlaces = 6;
const largestScaled = 2 ** 50;

export function writeValues(writer: ByteWriter, values: Float64Array, count: number): void {
  if (count === 0) return;
  const places = decimalPlaces(values, count);
  if (places === undefined) {
    writeRaw(writer, rawValues, values, count);
    return;
  }
  writer.u8(places);
  const scale = 10 ** places;
  let previous = 0;
  for (let index = 0; index < count; index++) {
    const value = values[index]!;
    if (Number.isNaN(value)) {
      writer.u8(0);
      continue;
    }
    const scaled = Math.round(value * scale);
    writer.varint(zigzagOf(scaled - previous) + 1);
    previous = scaled;
  }
}

export function readValues(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  if (count === 0) return values;
  const places = reader.u8();
  if (places === rawValues) return readRaw(reader, values);
  if (places > mostPlaces) throw reader.invalid(`unknown value mode ${places}`);
  const scale = 10 ** places;
  let scaled = 0;
  for (let index = 0; index < count; index++) {
    const code = reader.varint();
    if (code === 0) {
      values[index] = Number.NaN;
      continue;
    }
    scaled += unzigzag(code - 1);
    values[index] = scaled / scale;
  }
  return values;
}

/** The fewest decimal places that hold every value of the column exactly; undefined when none up to six do. */
function decimalPlaces(values: Float64Array, count: number): number | undefined {
  for (let places = 0; places <= mostPlaces; places++) {
    const scale = 10 ** places;
    let index = 0;
    while (index < count && isDecimal(values[index]!, scale)) index++;
    if (index === count) return places;
  }
  return undefined;
}

function isDecimal(value: number, scale: number): boolean {
  if (Number.isNaN(value)) return true;
  const scaled = Math.round(value * scale);
  return scaled / scale === value && Math.abs(scaled) <= largestScaled && !Object.is(value, -0);
}

function writeRaw(writer: ByteWriter, mode: number, column: Float64Array, count: number): void {
  writer.u8(mode);
  writer.reserve(count * 8);
  for (let index = 0; index < count; index++) writer.f64(column[index]!);
}

function readRaw(reader: ByteReader, column: Float64Array): Float64Array {
  for (let index = 0; index < column.length; index++) column[index] = reader.f64();
  return column;
}

export function writeLabels(writer: ByteWriter, labels: SeriesLabels): void {
  const names = Object.keys(labels);
  writer.varint(names.length);
  for (const name of names) {
    writer.text(name);
    writer.text(labels[name]!);
  }
}

export function readLabels(reader: ByteReader): SeriesLabels {
  const count = reader.count(2);
  const pairs: [string, string][] = [];
  for (let index = 0; index < count; index++) pairs.push([reader.text(), reader.text()]);
  // fromEntries defines properties: a label called `__proto__` stays a label.
  return Object.fromEntries(pairs);
}

const recordFlag = { actor: 1, message: 2 } as const;
/** Two f64 times, an f64 value, the flags, three empty strings and no labels. */
const leastRecordBytes = 8 * 3 + 1 + 4;

export function writePoints(writer: ByteWriter, points: readonly PointRecord[]): void {
  writer.varint(points.length);
  for (const point of points) {
    const flags =
      (point.actor === undefined ? 0 : recordFlag.actor) |
      (point.message === undefined ? 0 : recordFlag.message);
    writer.u8(flags);
    writer.text(point.data_id);
    writer.text(point.source);
    writer.text(point.metric_type);
    writer.f64(point.timestamp);
    writer.f64(point.received_at);
    writer.f64(point.value);
    writeLabels(writer, point.labels);
    if (point.actor !== undefined) writer.text(point.actor);
    if (point.message !== undefined) writer.text(point.message);
  }
}

export function readPoints(reader: ByteReader): PointRecord[] {
  const count = reader.count(leastRecordBytes);
  const points: PointRecord[] = [];
  for (let index = 0; index < count; index++) {
    const flags = reader.u8();
    if (flags > 3) throw reader.invalid(`unknown record flags ${flags}`);
    const data_id = reader.text();
    const source = reader.text();
    const metric_type = reader.text();
    const timestamp = reader.f64();
    const received_at = reader.f64();
    const value = reader.f64();
    const labels = readLabels(reader);
    const point: PointRecord = { data_id, source, timestamp, metric_type, value, labels, received_at };
    if ((flags & recordFlag.actor) !== 0) point.actor = reader.text();
    if ((flags & recordFlag.message) !== 0) point.message = reader.text();
    points.push(point);
  }
  return points;
}
