/**
 * Reads answers in ClickHouse's Native format into typed arrays: no JSON, no object a row. An answer is a sequence of
 * blocks; `readNative` joins them, column by column. Types beyond those our own queries select are a broken invariant.
 */
export interface ArrayColumn<T> {
  /** One entry more than there are rows; row i is `values[offsets[i] … offsets[i + 1])`. */
  offsets: Uint32Array;
  values: T;
}

const fixedTypes = {
  UInt8: Uint8Array,
  Int8: Int8Array,
  UInt16: Uint16Array,
  Int16: Int16Array,
  UInt32: Uint32Array,
  Int32: Int32Array,
  UInt64: BigUint64Array,
  Int64: BigInt64Array,
  Float64: Float64Array,
} as const;

type FixedName = keyof typeof fixedTypes;
type FixedArray = InstanceType<(typeof fixedTypes)[FixedName]>;
type Column = FixedArray | string[] | ArrayColumn<FixedArray | string[]>;

/** Columns of an answer by name. The caller states the type its own SQL selects; a mismatch throws. */
export class NativeAnswer {
  readonly rows: number;
  readonly #columns: ReadonlyMap<string, { type: string; column: Column }>;

  constructor(rows: number, columns: ReadonlyMap<string, { type: string; column: Column }>) {
    this.rows = rows;
    this.#columns = columns;
  }

  fixed<N extends FixedName>(name: string, type: N): InstanceType<(typeof fixedTypes)[N]> {
    return this.#get(name, type, () => new fixedTypes[type](0)) as InstanceType<(typeof fixedTypes)[N]>;
  }

  array<N extends FixedName>(name: string, type: N): ArrayColumn<InstanceType<(typeof fixedTypes)[N]>> {
    const empty = () => ({ offsets: new Uint32Array(1), values: new fixedTypes[type](0) });
    return this.#get(name, `Array(${type})`, empty) as ArrayColumn<InstanceType<(typeof fixedTypes)[N]>>;
  }

  strings(name: string): string[] {
    return this.#get(name, 'String', () => []) as string[];
  }

  stringArray(name: string): ArrayColumn<string[]> {
    const empty = () => ({ offsets: new Uint32Array(1), values: [] });
    return this.#get(name, 'Array(String)', empty) as ArrayColumn<string[]>;
  }

  /** Integers of any width as doubles; they are below 2^53 by construction. */
  numbers(name: string): Float64Array {
    const entry = this.#columns.get(name);
    if (entry === undefined && this.rows === 0) return new Float64Array(0);
    if (entry === undefined || !ArrayBuffer.isView(entry.column))
      throw unexpected(name, 'a number', entry?.type);
    const { column } = entry;
    if (column instanceof Float64Array) return column;
    const out = new Float64Array(column.length);
    for (let i = 0; i < out.length; i++) out[i] = Number(column[i]);
    return out;
  }

  #get(name: string, type: string, empty: () => Column): Column {
    const entry = this.#columns.get(name);
    if (entry === undefined && this.rows === 0) return empty();
    if (entry?.type !== type) throw unexpected(name, type, entry?.type);
    return entry.column;
  }
}

function unexpected(name: string, wanted: string, got: string | undefined): Error {
  return new Error(`invariant broken: column ${name} should be ${wanted}, is ${got ?? 'missing'}`);
}

export function readNative(bytes: Uint8Array): NativeAnswer {
  const reader = new Reader(bytes);
  const pieces = new Map<string, { type: string; columns: Column[] }>();
  let rows = 0;
  while (!reader.done) {
    const columns = reader.varint();
    const blockRows = reader.varint();
    rows += blockRows;
    for (let c = 0; c < columns; c++) {
      const name = reader.text();
      const type = reader.text();
      const piece = pieces.get(name) ?? { type, columns: [] };
      if (blockRows > 0 || piece.columns.length === 0) piece.columns.push(reader.column(type, blockRows));
      pieces.set(name, piece);
    }
  }
  const joined = new Map<string, { type: string; column: Column }>();
  for (const [name, { type, columns }] of pieces) joined.set(name, { type, column: join(columns) });
  return new NativeAnswer(rows, joined);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A plain view: `slice` of a Buffer would not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('invariant broken: a Native answer was cut short');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  }

  text(): string {
    const length = this.varint();
    const text = this.#buffer.toString('utf8', this.#at, this.#at + length);
    this.#at += length;
    return text;
  }

  column(type: string, rows: number): Column {
    const element = /^Array\((\w+)\)$/.exec(type)?.[1];
    if (element === undefined) return this.#flat(type, rows);
    const ends = this.#fixed('UInt64', rows) as BigUint64Array;
    const offsets = new Uint32Array(rows + 1);
    for (let i = 0; i < rows; i++) offsets[i + 1] = Number(ends[i]);
    return { offsets, values: this.#flat(element, offsets[rows]!) };
  }

  #flat(type: string, count: number): FixedArray | string[] {
    if (type === 'String') return Array.from({ length: count }, () => this.text());
    if (type in fixedTypes) return this.#fixed(type as FixedName, count);
    throw new Error(`invariant broken: no reader for the column type ${type}`);
  }

  /** Copies, because the bytes of a column rarely start at a multiple of their width. */
  #fixed(type: FixedName, count: number): FixedArray {
    const size = count * fixedTypes[type].BYTES_PER_ELEMENT;
    const copy = this.#bytes.slice(this.#at, this.#at + size);
    if (copy.length !== size) throw new Error('invariant broken: a Native answer was cut short');
    this.#at += size;
    return new fixedTypes[type](copy.buffer, copy.byteOffset, count);
  }
}

function join(pieces: readonly Column[]): Column {
  const first = pieces[0]!;
  if (pieces.length === 1) return first;
  if (Array.isArray(first)) return (pieces as string[][]).flat();
  if (ArrayBuffer.isView(first)) return joinFixed(pieces as FixedArray[]);
  const arrays = pieces as ArrayColumn<FixedArray | string[]>[];
  const offsets = new Uint32Array(arrays.reduce((rows, piece) => rows + piece.offsets.length - 1, 1));
  let row = 0;
  for (const piece of arrays) {
    const base = offsets[row]!;
    for (let i = 1; i < piece.offsets.length; i++) offsets[++row] = base + piece.offsets[i]!;
  }
  return { offsets, values: join(arrays.map((piece) => piece.values)) as FixedArray | string[] };
}

function joinFixed(pieces: readonly FixedArray[]): FixedArray {
  const Type = pieces[0]!.constructor as new (length: number) => FixedArray;
  const out = new Type(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    (out as Float64Array).set(piece as Float64Array, at);
    at += piece.length;
  }
  return out;
}
