/**
 * Writes one block in ClickHouse's Native format: columns as the engine holds them in memory, so that reading it back
 * is a copy and no parser ever looks at a byte that came from outside. (A raw `INSERT … FORMAT X` in chDB ends its
 * data at the first blank line and executes what follows; a Native file read through `file()` has no such place.)
 *
 * Layout: varint columns, varint rows; then for each column its name, its type and its data. Arrays are one cumulative
 * UInt64 offset a row and the flattened elements; LowCardinality is a dictionary and an index a row. Little endian.
 */
type FixedColumn =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float64Array;

export interface NativeBlock {
  rows: number;
  /** `name Type, …` as `file()` wants it. */
  structure: string;
  columns: readonly string[];
  parts: readonly Uint8Array[];
}

export class NativeWriter {
  readonly #rows: number;
  readonly #columns: string[] = [];
  readonly #structure: string[] = [];
  readonly #parts: Uint8Array[] = [];

  constructor(rows: number) {
    this.#rows = rows;
  }

  fixed(name: string, type: string, values: FixedColumn): void {
    this.#begin(name, type);
    this.#parts.push(bytesOf(values));
  }

  /** The same number in every row. */
  constant(name: string, type: 'UInt16' | 'UInt32' | 'UInt64', value: number): void {
    if (type === 'UInt16') this.fixed(name, type, new Uint16Array(this.#rows).fill(value));
    else if (type === 'UInt32') this.fixed(name, type, new Uint32Array(this.#rows).fill(value));
    else this.fixed(name, type, new BigUint64Array(this.#rows).fill(BigInt(value)));
  }

  /** `offsets` has one entry more than there are rows; row i is `values[offsets[i] … offsets[i + 1])`. */
  array(name: string, elementType: string, offsets: Uint32Array, values: FixedColumn): void {
    this.#begin(name, `Array(${elementType})`);
    this.#parts.push(cumulative(offsets), bytesOf(values));
  }

  stringArray(name: string, offsets: Uint32Array, texts: StringColumn): void {
    this.#begin(name, 'Array(String)');
    this.#parts.push(cumulative(offsets), texts.bytes);
  }

  strings(name: string, texts: StringColumn): void {
    this.#begin(name, 'String');
    this.#parts.push(texts.bytes);
  }

  /** For columns with few different texts, in runs: the dictionary is looked up once a run. */
  lowCardinality(name: string, texts: readonly string[]): void {
    this.#begin(name, 'LowCardinality(String)');
    const codes = new Map<string, number>();
    const indexes = new Uint32Array(this.#rows);
    let last: string | undefined;
    let code = 0;
    for (let i = 0; i < this.#rows; i++) {
      const text = texts[i]!;
      if (text !== last) {
        code = codes.get(text) ?? codes.size;
        if (code === codes.size) codes.set(text, code);
        last = text;
      }
      indexes[i] = code;
    }
    // Version 1; then UInt32 indexes (2) | additional keys (0x200) | keys of this block only (0x400).
    this.#parts.push(
      bytesOf(new BigUint64Array([1n, 0x602n, BigInt(codes.size)])),
      stringBytes(codes.keys()),
    );
    this.#parts.push(bytesOf(new BigUint64Array([BigInt(this.#rows)])), bytesOf(indexes));
  }

  finish(): NativeBlock {
    const header = [...varint(this.#columns.length), ...varint(this.#rows)];
    return {
      rows: this.#rows,
      structure: this.#structure.join(', '),
      columns: this.#columns,
      parts: [Uint8Array.from(header), ...this.#parts],
    };
  }

  #begin(name: string, type: string): void {
    this.#columns.push(name);
    this.#structure.push(`${name} ${type}`);
    this.#parts.push(stringBytes([name, type]));
  }
}

function bytesOf(values: FixedColumn): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** UInt64 end offsets from Uint32 ones: low words only, the high ones are zero. */
function cumulative(offsets: Uint32Array): Uint8Array {
  const rows = offsets.length - 1;
  const base = offsets[0]!;
  const words = new Uint32Array(rows * 2);
  for (let i = 0; i < rows; i++) words[i * 2] = offsets[i + 1]! - base;
  return bytesOf(words);
}

/** Texts as they lie in a block: each behind its length in bytes. */
export class StringColumn {
  #bytes = Buffer.allocUnsafe(256);
  #end = 0;
  length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  add(text: string): void {
    const most = text.length * 3;
    this.#reserve(this.#end + 5 + most);
    this.length += 1;
    if (most < 0x80) {
      // Its length is one byte, whatever the text is made of.
      const length = this.#bytes.write(text, this.#end + 1, most, 'utf8');
      this.#bytes[this.#end] = length;
      this.#end += 1 + length;
      return;
    }
    const length = Buffer.byteLength(text, 'utf8');
    for (const byte of varint(length)) this.#bytes[this.#end++] = byte;
    this.#end += this.#bytes.write(text, this.#end, length, 'utf8');
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(capacity, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

function stringBytes(texts: Iterable<string>): Uint8Array {
  const column = new StringColumn();
  for (const text of texts) column.add(text);
  return column.bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
