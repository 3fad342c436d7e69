/**
 * Growing writer and bounds-checked reader for small binary headers: varints, floats and UTF-8 strings, little
 * endian. Columns do not go through here value by value; they are copied as typed-array memory.
 */
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Short ASCII strings are copied by hand: crossing into the encoder costs more than the copy. */
const shortLength = 64;

export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** What was written, valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Non-negative safe integer, seven bits a byte, lowest first. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.length++] = rest;
  }

  bytes(content: Uint8Array): void {
    this.#reserve(content.length);
    this.#bytes.set(content, this.length);
    this.length += content.length;
  }

  /** A column as it lies in memory; without its length. */
  raw(column: Int32Array | Float64Array): void {
    this.#reserve(column.byteLength);
    this.#bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), this.length);
    this.length += column.byteLength;
  }

  string(text: string): void {
    if (text.length <= shortLength && this.#shortAscii(text)) return;
    const utf8 = utf8Encoder.encode(text);
    this.varint(utf8.length);
    this.#reserve(utf8.length);
    this.#bytes.set(utf8, this.length);
    this.length += utf8.length;
  }

  #shortAscii(text: string): boolean {
    this.#reserve(text.length + 1);
    const bytes = this.#bytes;
    const start = this.length + 1;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      bytes[start + i] = unit;
    }
    bytes[this.length] = text.length;
    this.length = start + text.length;
    return true;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what `ByteWriter` wrote. Every method throws a `RangeError` rather than read past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.#bytes.length - this.at;
  }

  u8(): number {
    const value = this.#view.getUint8(this.at);
    this.at++;
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
      if (scale > 2 ** 49) throw new RangeError('a varint is too long');
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('a varint is too large');
    return value;
  }

  string(): string {
    const length = this.varint();
    const bytes = this.take(length);
    if (length <= shortLength) {
      let text = '';
      for (const byte of bytes) {
        if (byte >= 0x80) return utf8Decoder.decode(bytes);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return utf8Decoder.decode(bytes);
  }

  /** The next `length` bytes as a view of the input. */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw new RangeError('a length points past the end');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** Skips to the next multiple of `size`. */
  align(size: number): void {
    const over = this.at % size;
    if (over !== 0) this.take(size - over);
  }
}
