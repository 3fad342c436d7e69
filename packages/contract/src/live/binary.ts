import { ByteReader, ByteWriter } from './bytes.ts';
import type { DeltaColumns, SeriesColumns, SnapshotColumns } from './columns.ts';
import {
  readLabels,
  readPoints,
  readTimes,
  readValues,
  writeLabels,
  writePoints,
  writeTimes,
  writeValues,
} from './columns.ts';
import type { DownMessage } from './down.ts';

/**
 * The binary form of a view (subprotocol `nowcast.v1`; docs/protocol.md has it byte by byte), in two layers:
 *
 *     [ frame header: type, flags, ack?, subscription id ][ body: snapshot or delta ]
 *       differs for every subscriber                        one encoding for all of them
 *
 * A body does not know who reads it, so the engine encodes a change once and the gateway puts a few bytes of its own
 * before it. Everything is little-endian. Unknown flags, modes and trailing bytes are refused: a change of this format
 * is a new line in version.ts, never a guess by the reader.
 */
const scratch = new ByteWriter();
const textEncoder = new TextEncoder();

const snapshotFlag = { recovered: 1, points: 2, note: 4 } as const;
const deltaFlag = { newest: 1, series: 2, removed: 4, cells: 8, points: 16 } as const;

/** One body for every viewer of the view. */
export function encodeSnapshotBody(snapshot: SnapshotColumns): Uint8Array<ArrayBuffer> {
  scratch.reset();
  const flags =
    (snapshot.recovered ? snapshotFlag.recovered : 0) |
    (snapshot.points === undefined ? 0 : snapshotFlag.points) |
    (snapshot.note === undefined ? 0 : snapshotFlag.note);
  scratch.u8(flags);
  scratch.text(snapshot.epoch);
  scratch.text(snapshot.seq);
  scratch.f64(snapshot.stepMs);
  scratch.f64(snapshot.from);
  scratch.f64(snapshot.to);
  scratch.varint(snapshot.series.length);
  for (const series of snapshot.series) {
    const count = Math.min(series.timestamps.length, series.values.length);
    scratch.varint(series.key);
    writeLabels(scratch, series.labels);
    scratch.varint(count);
    writeTimes(scratch, series.timestamps, count);
    writeValues(scratch, series.values, count);
  }
  if (snapshot.points !== undefined) writePoints(scratch, snapshot.points);
  if (snapshot.note !== undefined) scratch.text(snapshot.note);
  return scratch.take();
}

/** Throws `live.message_invalid` on anything that `encodeSnapshotBody` could not have written. */
export function decodeSnapshotBody(bytes: Uint8Array): SnapshotColumns {
  const reader = new ByteReader(bytes);
  const flags = reader.u8();
  if (flags > 7) throw reader.invalid(`unknown snapshot flags ${flags}`);
  const snapshot: SnapshotColumns = {
    epoch: reader.text(),
    seq: reader.text(),
    recovered: (flags & snapshotFlag.recovered) !== 0,
    stepMs: reader.f64(),
    from: reader.f64(),
    to: reader.f64(),
    series: readSeries(reader),
  };
  if ((flags & snapshotFlag.points) !== 0) snapshot.points = readPoints(reader);
  if ((flags & snapshotFlag.note) !== 0) snapshot.note = reader.text();
  reader.end();
  return snapshot;
}

function readSeries(reader: ByteReader): SeriesColumns[] {
  const count = reader.count(3);
  const series: SeriesColumns[] = [];
  for (let index = 0; index < count; index++) {
    const key = reader.key();
    const labels = readLabels(reader);
    const cells = reader.count(1);
    series.push({ key, labels, timestamps: readTimes(reader, cells), values: readValues(reader, cells) });
  }
  return series;
}

/** One body for every viewer of the view. `seq` is sent as what differs from `baseSeq`. */
export function encodeDeltaBody(delta: DeltaColumns): Uint8Array<ArrayBuffer> {
  scratch.reset();
  const flags =
    (delta.newest === 0 ? 0 : deltaFlag.newest) |
    (delta.series.length === 0 ? 0 : deltaFlag.series) |
    (delta.removed.length === 0 ? 0 : deltaFlag.removed) |
    (delta.count === 0 ? 0 : deltaFlag.cells) |
    (delta.points === undefined ? 0 : deltaFlag.points);
  scratch.u8(flags);
  scratch.text(delta.baseSeq);
  const shared = sharedPrefix(delta.baseSeq, delta.seq);
  scratch.varint(shared);
  scratch.text(delta.seq.slice(shared));
  if (delta.newest !== 0) scratch.f64(delta.newest);
  if (delta.removed.length > 0) {
    scratch.varint(delta.removed.length);
    for (const key of delta.removed) scratch.varint(key);
  }
  if (delta.series.length > 0) {
    scratch.varint(delta.series.length);
    for (const series of delta.series) {
      scratch.varint(series.key);
      writeLabels(scratch, series.labels);
    }
  }
  if (delta.count > 0) writeCells(delta);
  if (delta.points !== undefined) writePoints(scratch, delta.points);
  return scratch.take();
}

function writeCells(delta: DeltaColumns): void {
  scratch.varint(delta.count);
  let previous = 0;
  for (let index = 0; index < delta.count; index++) {
    const key = delta.keys[index]!;
    scratch.zigzag(key - previous);
    previous = key;
  }
  writeTimes(scratch, delta.buckets, delta.count);
  writeValues(scratch, delta.values, delta.count);
}

/** Throws `live.message_invalid` on anything that `encodeDeltaBody` could not have written. */
export function decodeDeltaBody(bytes: Uint8Array): DeltaColumns {
  const reader = new ByteReader(bytes);
  const flags = reader.u8();
  if (flags > 31) throw reader.invalid(`unknown delta flags ${flags}`);
  const baseSeq = reader.text();
  const shared = reader.varint();
  if (shared > baseSeq.length) throw reader.invalid('seq shares more with base_seq than there is');
  const seq = baseSeq.slice(0, shared) + reader.text();
  const newest = (flags & deltaFlag.newest) === 0 ? 0 : reader.f64();
  const removed: number[] = [];
  if ((flags & deltaFlag.removed) !== 0) {
    const count = reader.count(1);
    for (let index = 0; index < count; index++) removed.push(reader.key());
  }
  const series: DeltaColumns['series'][number][] = [];
  if ((flags & deltaFlag.series) !== 0) {
    const count = reader.count(2);
    for (let index = 0; index < count; index++)
      series.push({ key: reader.key(), labels: readLabels(reader) });
  }
  const count = (flags & deltaFlag.cells) === 0 ? 0 : reader.count(2);
  const keys = readKeys(reader, count);
  const buckets = readTimes(reader, count);
  const values = readValues(reader, count);
  const delta: DeltaColumns = { baseSeq, seq, newest, series, removed, count, keys, buckets, values };
  if ((flags & deltaFlag.points) !== 0) delta.points = readPoints(reader);
  reader.end();
  return delta;
}

function readKeys(reader: ByteReader, count: number): Uint32Array {
  const keys = new Uint32Array(count);
  let key = 0;
  for (let index = 0; index < count; index++) {
    key += reader.zigzag();
    if (key < 0 || key > 0xffff_ffff) throw reader.invalid('a series key does not fit 32 bits');
    keys[index] = key;
  }
  return keys;
}

/** Counts UTF-16 units; never splits a surrogate pair, whose half would not survive UTF-8. */
function sharedPrefix(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  const last = length > 0 ? a.charCodeAt(length - 1) : 0;
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length;
}

export const frameType = { snapshot: 1, delta: 2, json: 3 } as const;
export type FrameType = (typeof frameType)[keyof typeof frameType];

/** One binary WebSocket message of `nowcast.v1`. */
export interface Frame {
  type: FrameType;
  /** The subscription; empty for JSON messages, which name theirs inside. */
  id: string;
  /** The number to acknowledge, when the server asks for it. */
  ack: number | undefined;
  /** A snapshot body, a delta body, or JSON text in UTF-8. A view into the received bytes. */
  body: Uint8Array;
}

const askFlag = 1;

/** What goes before the body: u8 type, u8 flags, u32 ack number if asked, u16 length of the id, the id in UTF-8. */
export function frameHeader(type: FrameType, id: string, ack?: number): Uint8Array<ArrayBuffer> {
  const idBytes = textEncoder.encode(id);
  scratch.reset();
  scratch.u8(type);
  scratch.u8(ack === undefined ? 0 : askFlag);
  if (ack !== undefined) scratch.u32(ack);
  scratch.u16(idBytes.length);
  scratch.raw(idBytes);
  return scratch.take();
}

/** Header and body in one array, for callers that do not write them separately. */
export function encodeFrame(
  type: FrameType,
  id: string,
  body: Uint8Array,
  ack?: number,
): Uint8Array<ArrayBuffer> {
  const header = frameHeader(type, id, ack);
  const frame = new Uint8Array(header.length + body.length);
  frame.set(header);
  frame.set(body, header.length);
  return frame;
}

/** Any message other than snapshot and delta, as a frame of `nowcast.v1`. */
export function encodeJsonFrame(message: DownMessage): Uint8Array<ArrayBuffer> {
  return encodeFrame(frameType.json, '', textEncoder.encode(JSON.stringify(message)));
}

/** Splits a frame without copying. Throws `live.message_invalid`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes);
  const type = reader.u8();
  if (type < 1 || type > 3) throw reader.invalid(`unknown frame type ${type}`);
  const flags = reader.u8();
  if (flags > askFlag) throw reader.invalid(`unknown frame flags ${flags}`);
  const ack = flags === askFlag ? reader.u32() : undefined;
  const id = reader.fixedText(reader.u16());
  return { type: type as FrameType, id, ack, body: reader.rest() };
}
