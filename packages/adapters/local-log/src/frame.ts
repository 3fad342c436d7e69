import { crc32c } from '@node-rs/crc32';
import type { LogEntry, OffsetVector } from '@nowcast/ports';

/**
 * Bytes of one frame: everything one `append` call stores, so that it is there whole or not at all. Little-endian.
 *
 *   0  sync         8  the segment's random marker
 *   8  crc          4  CRC32C (RFC 3720) of everything behind it
 *  12  length       4  of the whole frame
 *  16  groupStart   4  position in the file at which the write of this frame's group began
 *  20  count        4  entries
 *  24  entries         count × (partition 4, length 4, offset 8)
 *      payloads        one behind the other
 *
 * Why `groupStart`: a group of frames is written at once and synced once, and a power cut may keep any of its blocks.
 * So a bad frame with a good one behind it is not yet corruption. It is one only if the good frame's group began
 * *after* the bad frame, because then the bad one had been synced, and perhaps acknowledged, before.
 *
 * Why a random marker and not a fixed magic: the search for good frames behind a bad one looks at bytes that senders
 * chose. Nobody outside knows the marker, so no message text can pose as a frame.
 */
export const frameHeaderBytes = 24;
const entryHeaderBytes = 16;
export const syncBytes = 8;
/** Far above any batch; keeps a damaged length field from asking for gigabytes of memory. */
export const maxFrameBytes = 256 * 2 ** 20;
/** Below this a copy is cheaper than one more element in the vectored write. */
const copyBelowBytes = 2048;
const two32 = 2 ** 32;

/** Bytes that `entries` take as a frame. */
export function frameBytes(entries: readonly LogEntry[]): number {
  let bytes = frameHeaderBytes + entries.length * entryHeaderBytes;
  for (const entry of entries) bytes += entry.payload.byteLength;
  return bytes;
}

/** One vectored write: frames of several calls. */
export interface EncodedGroup {
  buffers: Uint8Array[];
  byteLength: number;
  /** Offsets of each call's entries. */
  offsets: number[][];
  /** The vector after the group. */
  next: number[];
}

/**
 * Encodes groups. Headers and small payloads go into one buffer that is used again for the next group, large payloads
 * stay where they are; hence one group at a time.
 */
export class GroupEncoder {
  #scratch = Buffer.allocUnsafeSlow(64 * 1024);
  #used = 0;
  /** Start of the part of the scratch buffer that is not yet in `buffers`. */
  #flushed = 0;

  encode(
    calls: readonly (readonly LogEntry[])[],
    at: { sync: Uint8Array; groupStart: number; next: OffsetVector },
  ): EncodedGroup {
    this.#reserve(calls);
    const group: EncodedGroup = { buffers: [], byteLength: 0, offsets: [], next: [...at.next] };
    for (const entries of calls) {
      group.offsets.push(this.#encodeFrame(entries, at.sync, at.groupStart, group));
    }
    this.#flushScratch(group.buffers);
    return group;
  }

  #reserve(calls: readonly (readonly LogEntry[])[]): void {
    let bytes = 0;
    for (const entries of calls) {
      bytes += frameHeaderBytes + entries.length * entryHeaderBytes;
      for (const { payload } of entries) if (payload.byteLength < copyBelowBytes) bytes += payload.byteLength;
    }
    if (bytes > this.#scratch.byteLength) this.#scratch = Buffer.allocUnsafeSlow(bytes * 2);
    this.#used = 0;
    this.#flushed = 0;
  }

  #encodeFrame(
    entries: readonly LogEntry[],
    sync: Uint8Array,
    groupStart: number,
    group: EncodedGroup,
  ): number[] {
    const scratch = this.#scratch;
    const start = this.#used;
    const length = frameBytes(entries);
    const offsets: number[] = [];
    scratch.set(sync, start);
    scratch.writeUInt32LE(length, start + 12);
    scratch.writeUInt32LE(groupStart, start + 16);
    scratch.writeUInt32LE(entries.length, start + 20);
    let at = start + frameHeaderBytes;
    for (const { partition, payload } of entries) {
      const offset = group.next[partition]!;
      group.next[partition] = offset + 1;
      offsets.push(offset);
      scratch.writeUInt32LE(partition, at);
      scratch.writeUInt32LE(payload.byteLength, at + 4);
      scratch.writeUInt32LE(offset % two32, at + 8);
      scratch.writeUInt32LE(Math.floor(offset / two32), at + 12);
      at += entryHeaderBytes;
    }
    this.#used = at;
    scratch.writeUInt32LE(this.#addPayloads(entries, start + 12, group.buffers), start + 8);
    group.byteLength += length;
    return offsets;
  }

  /** Puts the payloads behind the headers and returns the CRC from `checkedFrom` on. */
  #addPayloads(entries: readonly LogEntry[], checkedFrom: number, buffers: Uint8Array[]): number {
    let crc = 0;
    let unchecked = checkedFrom;
    for (const { payload } of entries) {
      if (payload.byteLength < copyBelowBytes) {
        this.#scratch.set(payload, this.#used);
        this.#used += payload.byteLength;
        continue;
      }
      if (unchecked < this.#used) crc = crc32c(this.#scratch.subarray(unchecked, this.#used), crc);
      unchecked = this.#used;
      crc = crc32c(payload, crc);
      this.#flushScratch(buffers);
      buffers.push(payload);
    }
    if (unchecked < this.#used) crc = crc32c(this.#scratch.subarray(unchecked, this.#used), crc);
    return crc;
  }

  #flushScratch(buffers: Uint8Array[]): void {
    if (this.#flushed < this.#used) buffers.push(this.#scratch.subarray(this.#flushed, this.#used));
    this.#flushed = this.#used;
  }
}

/** Reads the header of the frame at `at`; `undefined` when no frame of this segment can begin here. */
export function frameLengthAt(bytes: Buffer, at: number, sync: Buffer, room: number): number | undefined {
  if (bytes.compare(sync, 0, syncBytes, at, at + syncBytes) !== 0) return undefined;
  const length = bytes.readUInt32LE(at + 12);
  const count = bytes.readUInt32LE(at + 20);
  const fits = length <= room && length <= maxFrameBytes;
  return fits && count > 0 && frameHeaderBytes + count * entryHeaderBytes <= length ? length : undefined;
}

/** Whether the `length` bytes at `at` are a frame as it was written. */
export function isFrameIntact(bytes: Buffer, at: number, length: number): boolean {
  return crc32c(bytes.subarray(at + 12, at + length)) === bytes.readUInt32LE(at + 8);
}

export function groupStartAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 16);
}

/** Walks the entries of an intact frame. `visit` gets the payload's bounds in `bytes`; returning `false` ends it. */
export function visitEntries(
  bytes: Buffer,
  at: number,
  visit: (partition: number, offset: number, from: number, to: number) => boolean,
): boolean {
  const count = bytes.readUInt32LE(at + 20);
  let payload = at + frameHeaderBytes + count * entryHeaderBytes;
  for (let i = 0; i < count; i++) {
    const header = at + frameHeaderBytes + i * entryHeaderBytes;
    const partition = bytes.readUInt32LE(header);
    const end = payload + bytes.readUInt32LE(header + 4);
    const offset = bytes.readUInt32LE(header + 8) + bytes.readUInt32LE(header + 12) * two32;
    if (!visit(partition, offset, payload, end)) return false;
    payload = end;
  }
  return payload === at + bytes.readUInt32LE(at + 12);
}
