import { appError } from '../errors.ts';

/**
 * Bytes of the binary live protocol: a growing writer and a bounded reader, little-endian, for browsers and Node alike.
 *
 * Two traps shaped this file. JavaScript's bit operators stop at 32 bits while epoch milliseconds need 41, so varints
 * switch to arithmetic above 2^31. And a length read from the wire is an attacker's number: the reader allocates only
 * what the bytes that are really there could fill, so a frame of 20 bytes cannot ask for a gigabyte.
 */
const maxVarint = Number.MAX_SAFE_INTEGER;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Grows by doubling; `take` copies out exactly what was written and makes the writer ready for the next message. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Unsigned LEB128 of an integer in 0 … 2^53 − 1: seven bits a byte, the low ones first. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A signed integer of at most 2^52 either way: 0, −1, 1, −2 … as 0, 1, 2, 3 … */
  zigzag(value: number): void {
    this.varint(zigzagOf(value));
  }

  /** Byte length as a varint, then UTF-8. */
  text(value: string): void {
    const worstCase = value.length * 3;
    if (worstCase >= 128) {
      this.bytes(textEncoder.encode(value));
      return;
    }
    this.reserve(worstCase + 1);
    const target = this.#bytes.subarray(this.#length + 1, this.#length + 1 + worstCase);
    const { written } = textEncoder.encodeInto(value, target);
    this.#bytes[this.#length] = written;
    this.#length += written + 1;
  }

  /** Byte length as a varint, then the bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** The bytes alone. */
  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > 1024 * 1024) {
      this.#bytes = new Uint8Array(4096);
      this.#view = new DataView(this.#bytes.buffer);
    }
    return taken;
  }

  /** Forgets what was written, for a message whose encoding threw half way. */
  reset(): void {
    this.#length = 0;
  }
}

export function zigzagOf(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(code: number): number {
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}

/** Reads what `ByteWriter` wrote; anything else throws `live.message_invalid` that names the byte. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 8; index++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > maxVarint) break;
        return value;
      }
      scale *= 128;
    }
    throw this.invalid('a number is larger than 2^53 − 1');
  }

  zigzag(): number {
    return unzigzag(this.varint());
  }

  /** A varint that fits 32 bits. */
  key(): number {
    const value = this.varint();
    if (value > 0xffff_ffff) throw this.invalid('a series key does not fit 32 bits');
    return value;
  }

  /** How many items follow, each of at least `leastBytes` bytes: more than the rest can hold is refused unread. */
  count(leastBytes: number): number {
    const value = this.varint();
    if (value * leastBytes > this.remaining) throw this.invalid(`${value} items cannot fit what is left`);
    return value;
  }

  text(): string {
    return this.fixedText(this.count(1));
  }

  fixedText(byteLength: number): string {
    const start = this.#advance(byteLength);
    try {
      return textDecoder.decode(this.#bytes.subarray(start, start + byteLength));
    } catch (cause) {
      throw appError('live.message_invalid', `frame invalid at byte ${start}: text is not UTF-8`, { cause });
    }
  }

  rest(): Uint8Array {
    const start = this.#advance(this.remaining);
    return this.#bytes.subarray(start);
  }

  end(): void {
    if (this.remaining > 0) throw this.invalid(`${this.remaining} bytes follow the end of the message`);
  }

  invalid(reason: string): Error {
    return appError('live.message_invalid', `frame invalid at byte ${this.#position}: ${reason}`);
  }

  #advance(count: number): number {
    const start = this.#position;
    if (count > this.#bytes.length - start) throw this.invalid('it ends too early');
    this.#position = start + count;
    return start;
  }
}
