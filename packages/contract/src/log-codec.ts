/**
 * Log records as bytes and back.
 *
 * The obvious encodings fail on either side: JSON costs more than everything else on the path of a point, and a
 * general binary format (one field at a time) visits each point several times. A points record is therefore a small
 * header and three columns that are copied as memory:
 *
 *     0        1      2 …                                       8·k         8·k'        8·k''
 *     version  kind   header (varints, strings, definitions)    values f64  timestamps  series
 *
 * - Timestamps: a common base and deltas of 0, 1, 2 or 4 bytes, or plain f64 where they are not whole steps apart.
 * - Series: senders repeat their series in the same order, so one period is stored; inside it 0 bytes when the
 *   indexes count up, else 1, 2 or 4 bytes above their minimum.
 * - A definition or an extra that is absent costs a byte or nothing.
 *
 * Little endian throughout; columns start at multiples of 8 of the record, whatever the alignment of the buffer it
 * arrives in (they are copied out).
 */
import { assert } from '@nowcast/kernel';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { appError } from './errors.ts';
import type { AlertCommand } from './alerts/log-command.ts';
import type {
  AlertRecord,
  LogRecord,
  PointExtras,
  PointsRecord,
  SeriesDefinition,
  TickRecord,
} from './log-record.ts';

const version = 1;
const kinds = { points: 1, flush: 2, tick: 3, alert: 4 } as const;
const hasExtras = 1;
const hasIdempotency = 2;
const equalIsNew = 4;
const hasDataId = 1;
const hasActor = 2;
const hasMessage = 4;

assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, 'the log codec copies little-endian memory');

const noMemory = new ArrayBuffer(0);

/** Header bytes of the record being encoded; one thread encodes one record at a time. */
const header = new ByteWriter();

/**
 * Bytes of a record. Those of points lie in `memory` where that is large enough, else in fresh memory, which begins
 * where the bytes begin and may serve as `memory` the next time.
 */
export function encodeRecord(record: LogRecord, memory: ArrayBuffer = noMemory): Uint8Array<ArrayBuffer> {
  header.reset();
  header.u8(version);
  header.u8(kinds[record.kind]);
  header.f64(record.receivedAt);
  if (record.kind === 'points') return encodePoints(record, memory);
  if (record.kind === 'flush') header.varint(record.from);
  else if (record.kind === 'tick') writeTick(record);
  else writeAlert(record);
  return new Uint8Array(header.written());
}

/**
 * The record in `bytes`, sharing no memory with it. Throws `log.failed` for a version this program does not know and
 * for bytes that no encoder wrote; the log's checksums have been verified before, so this is never a torn write.
 */
export function decodeRecord(bytes: Uint8Array): LogRecord {
  try {
    return decodeChecked(new ByteReader(bytes));
  } catch (cause) {
    throw appError('log.failed', 'a log record cannot be read: it is damaged or of a newer version', {
      cause,
    });
  }
}

/** What can be said of bytes that `decodeRecord` refuses: whether a later program wrote them, and for whom. */
export function examineDamaged(bytes: Uint8Array): { isNewer: boolean; tenant: string | undefined } {
  const isNewer = bytes.length > 0 && bytes[0]! > version;
  try {
    const reader = new ByteReader(bytes);
    reader.u8();
    const kind = reader.u8();
    reader.f64();
    const tenant = kind === kinds.points || kind === kinds.alert ? reader.string() : undefined;
    return { isNewer, tenant: tenant !== undefined && /^[\w-]{1,64}$/.test(tenant) ? tenant : undefined };
  } catch {
    return { isNewer, tenant: undefined };
  }
}

function decodeChecked(reader: ByteReader): LogRecord {
  const seen = reader.u8();
  if (seen !== version) throw new RangeError(`log record version ${seen}`);
  const kind = reader.u8();
  const receivedAt = reader.f64();
  if (kind === kinds.points) return decodePoints(reader, receivedAt);
  if (kind === kinds.flush) return { kind: 'flush', receivedAt, from: reader.varint() };
  if (kind === kinds.tick) return { kind: 'tick', receivedAt, at: readTick(reader) };
  if (kind === kinds.alert) return readAlert(reader, receivedAt);
  throw new RangeError(`log record kind ${kind}`);
}

function writeTick({ at }: TickRecord): void {
  header.varint(at.length);
  for (const offset of at) header.varint(offset);
}

function readTick(reader: ByteReader): number[] {
  const count = reader.varint();
  if (count > reader.remaining) throw new RangeError('more offsets than bytes');
  return Array.from({ length: count }, () => reader.varint());
}

function writeAlert({ tenant, command, seed }: AlertRecord): void {
  header.string(tenant);
  header.string(JSON.stringify(command));
  header.varint(seed.length);
  header.bytes(seed);
}

function readAlert(reader: ByteReader, receivedAt: number): AlertRecord {
  const tenant = reader.string();
  // Written by this program and covered by the log's checksum: its form was checked before it was appended.
  const command = JSON.parse(reader.string()) as AlertCommand;
  const seed = new Uint8Array(copyOf(reader, reader.varint(), 1));
  return { kind: 'alert', receivedAt, tenant, command, seed };
}

function encodePoints(record: PointsRecord, memory: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const count = record.series.length;
  const times = planTimestamps(record.timestamps);
  const series = planSeries(record.series);
  header.string(record.tenant);
  header.string(record.keyId);
  writeDefinitions(record);
  header.u8(
    (record.extras === undefined ? 0 : hasExtras) |
      (record.idempotency === undefined ? 0 : hasIdempotency) |
      (record.equalIsRetry ? 0 : equalIsNew),
  );
  if (record.extras !== undefined) writeExtras(record.extras);
  if (record.idempotency !== undefined) {
    header.string(record.idempotency.key);
    header.string(record.idempotency.bodyHash);
    header.varint(record.idempotency.status);
    header.string(record.idempotency.answer);
  }
  header.varint(count);
  header.u8(times.width);
  header.f64(times.base);
  header.varint(series.period);
  header.u8(series.width);
  header.varint(series.base);

  const valuesAt = aligned(header.length);
  const timesAt = valuesAt + count * 8;
  const seriesAt = aligned(timesAt + count * times.width);
  const length = seriesAt + series.period * series.width;
  const fits = memory.byteLength >= length;
  const bytes = fits ? new Uint8Array(memory, 0, length) : new Uint8Array(length);
  bytes.set(header.written());
  if (fits) {
    bytes.fill(0, header.length, valuesAt);
    bytes.fill(0, timesAt + count * times.width, seriesAt);
  }
  new Float64Array(bytes.buffer, valuesAt, count).set(record.values);
  writeTimestamps(bytes.buffer, timesAt, record.timestamps, times);
  writeSeries(bytes.buffer, seriesAt, record.series, series);
  return bytes;
}

function decodePoints(reader: ByteReader, receivedAt: number): PointsRecord {
  const tenant = reader.string();
  const keyId = reader.string();
  const { firstDefinition, definitions } = readDefinitions(reader, tenant);
  const flags = reader.u8();
  const extras = (flags & hasExtras) === 0 ? undefined : readExtras(reader);
  const idempotency =
    (flags & hasIdempotency) === 0
      ? undefined
      : {
          key: reader.string(),
          bodyHash: reader.string(),
          status: reader.varint(),
          answer: reader.string(),
        };
  const count = reader.varint();
  const times = { width: reader.u8(), base: reader.f64() };
  const plan = { period: reader.varint(), width: reader.u8(), base: reader.varint() };
  reader.align(8);
  const values = new Float64Array(copyOf(reader, count, 8));
  const timestamps = readTimestamps(reader, count, times);
  reader.align(8);
  const series = readSeries(reader, count, plan);
  const last = extras?.rows.at(-1) ?? -1;
  if (last >= count) throw new RangeError('an extra belongs to no point');
  return {
    kind: 'points',
    tenant,
    keyId,
    receivedAt,
    firstDefinition,
    definitions,
    series,
    timestamps,
    values,
    extras,
    equalIsRetry: (flags & equalIsNew) === 0,
    idempotency,
  };
}

function aligned(length: number): number {
  return (length + 7) & ~7;
}

/** Memory of the next column, copied so that a typed array may look at it. */
function copyOf(reader: ByteReader, count: number, width: number): ArrayBuffer {
  const bytes = reader.take(count * width);
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}

function columnOf(
  buffer: ArrayBuffer,
  at: number,
  count: number,
  width: number,
): Uint8Array | Uint16Array | Uint32Array {
  if (width === 1) return new Uint8Array(buffer, at, count);
  if (width === 2) return new Uint16Array(buffer, at, count);
  if (width === 4) return new Uint32Array(buffer, at, count);
  throw new RangeError(`column width ${width}`);
}

function widthFor(span: number): number {
  if (span <= 0xff) return 1;
  return span <= 0xffff ? 2 : 4;
}

interface TimestampPlan {
  width: number;
  base: number;
}

function planTimestamps(timestamps: Float64Array): TimestampPlan {
  const first = timestamps[0] ?? 0;
  let min = first;
  let max = first;
  let whole = true;
  for (let i = 0; i < timestamps.length; i++) {
    const at = timestamps[i]!;
    if (at < min) min = at;
    else if (at > max) max = at;
    if (at !== Math.floor(at)) whole = false;
  }
  if (min === max) return { width: 0, base: first };
  if (!whole || max - min > 0xffff_ffff || !Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
    return { width: 8, base: 0 };
  }
  return { width: widthFor(max - min), base: min };
}

function writeTimestamps(
  buffer: ArrayBuffer,
  at: number,
  timestamps: Float64Array,
  { width, base }: TimestampPlan,
): void {
  if (width === 0) return;
  if (width === 8) {
    new Float64Array(buffer, at, timestamps.length).set(timestamps);
    return;
  }
  const column = columnOf(buffer, at, timestamps.length, width);
  for (let i = 0; i < timestamps.length; i++) column[i] = timestamps[i]! - base;
}

function readTimestamps(reader: ByteReader, count: number, { width, base }: TimestampPlan): Float64Array {
  if (width === 8) return new Float64Array(copyOf(reader, count, 8));
  const timestamps = new Float64Array(count);
  if (width === 0) return timestamps.fill(base);
  const column = columnOf(copyOf(reader, count, width), 0, count, width);
  for (let i = 0; i < count; i++) timestamps[i] = base + column[i]!;
  return timestamps;
}

interface SeriesPlan {
  /** Points before the sequence repeats itself; the whole length when it does not. */
  period: number;
  width: number;
  base: number;
}

function planSeries(series: Uint32Array): SeriesPlan {
  const period = periodOf(series);
  const first = series[0] ?? 0;
  let min = first;
  let max = first;
  let counting = true;
  for (let i = 0; i < period; i++) {
    const index = series[i]!;
    if (index < min) min = index;
    else if (index > max) max = index;
    if (index !== first + i) counting = false;
  }
  return counting ? { period, width: 0, base: first } : { period, width: widthFor(max - min), base: min };
}

function periodOf(series: Uint32Array): number {
  const first = series[0];
  let period = 1;
  while (period < series.length && series[period] !== first) period++;
  for (let i = period; i < series.length; i++) {
    if (series[i] !== series[i - period]) return series.length;
  }
  return Math.min(period, series.length);
}

function writeSeries(
  buffer: ArrayBuffer,
  at: number,
  series: Uint32Array,
  { period, width, base }: SeriesPlan,
): void {
  if (width === 0) return;
  const column = columnOf(buffer, at, period, width);
  for (let i = 0; i < period; i++) column[i] = series[i]! - base;
}

function readSeries(reader: ByteReader, count: number, { period, width, base }: SeriesPlan): Uint32Array {
  if (period > count || (period === 0 && count > 0)) throw new RangeError('a series period without points');
  const series = new Uint32Array(count);
  if (width === 0) {
    for (let i = 0; i < period; i++) series[i] = base + i;
  } else {
    const column = columnOf(copyOf(reader, period, width), 0, period, width);
    for (let i = 0; i < period; i++) series[i] = base + column[i]!;
  }
  for (let filled = period; filled < count; filled *= 2)
    series.copyWithin(filled, 0, Math.min(filled, count - filled));
  return series;
}

function writeDefinitions(record: PointsRecord): void {
  header.varint(record.firstDefinition);
  header.varint(record.definitions.length);
  for (const definition of record.definitions) {
    // A record may carry series of another tenant whose own record could not be written.
    if (definition.tenant === record.tenant) {
      header.u8(0);
    } else {
      header.u8(1);
      header.string(definition.tenant);
    }
    header.string(definition.metric_type);
    header.string(definition.source);
    header.varint(definition.labels.length);
    for (const [name, value] of definition.labels) {
      header.string(name);
      header.string(value);
    }
  }
}

function readDefinitions(
  reader: ByteReader,
  recordTenant: string,
): { firstDefinition: number; definitions: SeriesDefinition[] } {
  const firstDefinition = reader.varint();
  const definitions: SeriesDefinition[] = [];
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const tenant = reader.u8() === 0 ? recordTenant : reader.string();
    const metric_type = reader.string();
    const source = reader.string();
    const labels: [string, string][] = [];
    const labelCount = reader.varint();
    for (let j = 0; j < labelCount; j++) labels.push([reader.string(), reader.string()]);
    definitions.push({ tenant, metric_type, source, labels });
  }
  return { firstDefinition, definitions };
}

function writeExtras(extras: PointExtras): void {
  header.varint(extras.rows.length);
  let previous = -1;
  for (let i = 0; i < extras.rows.length; i++) {
    const row = extras.rows[i]!;
    header.varint(row - previous - 1);
    previous = row;
    const dataId = extras.dataIds[i];
    const actor = extras.actors[i];
    const message = extras.messages[i];
    header.u8(
      (dataId === undefined ? 0 : hasDataId) |
        (actor === undefined ? 0 : hasActor) |
        (message === undefined ? 0 : hasMessage),
    );
    if (dataId !== undefined) header.string(dataId);
    if (actor !== undefined) header.string(actor);
    if (message !== undefined) header.string(message);
  }
}

function readExtras(reader: ByteReader): PointExtras {
  const count = reader.varint();
  // Every entry takes two bytes or more: a count that cannot be true must not allocate.
  if (count * 2 > reader.remaining) throw new RangeError('more extras than bytes');
  const extras: PointExtras = { rows: new Uint32Array(count), dataIds: [], actors: [], messages: [] };
  let row = -1;
  for (let i = 0; i < count; i++) {
    row += reader.varint() + 1;
    extras.rows[i] = row;
    const flags = reader.u8();
    extras.dataIds.push((flags & hasDataId) === 0 ? undefined : reader.string());
    extras.actors.push((flags & hasActor) === 0 ? undefined : reader.string());
    extras.messages.push((flags & hasMessage) === 0 ? undefined : reader.string());
  }
  return extras;
}
