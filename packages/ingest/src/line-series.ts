/**
 * What the line-protocol decoder remembers of one tenant: raw keys (`measurement,tags `), raw field names (`usage=`)
 * with the series they mean, and which of them came next the last time. Only a cache: it may be dropped at any
 * moment and changes nothing but speed.
 */
import { ByteArena, ByteTable, doubled, hashBytes } from './byte-table.ts';

export class LineSeries {
  readonly #arena = new ByteArena();
  /** Entry = measurement and tags, with the space that ends them. */
  readonly keys = new ByteTable(this.#arena);
  /** Entry = field name with its `=`, owned by a key. */
  readonly fields = new ByteTable(this.#arena);
  /** Entry = a line up to its value (key and only field), owned by the key. */
  readonly lines = new ByteTable(this.#arena);
  /** Line that followed a line; of entry 0: a request's first line. */
  nextLine = new Int32Array(64);
  keyOfLine = new Int32Array(64);
  handleOfLine = new Int32Array(64);
  /** Key that followed a key; of entry 0: the key of a request's first line. */
  nextKey = new Int32Array(64);
  /** Field that a line of the key began with. */
  firstField = new Int32Array(64);
  nextField = new Int32Array(64);
  /** Handle of the series; at entry 0 that of the last field that found no place in the table. */
  handles = new Int32Array(64);

  get size(): number {
    return this.#arena.size + this.keys.size + this.fields.size + this.lines.size;
  }

  addKey(bytes: Uint8Array, at: number, length: number, hash: number): number {
    const key = this.keys.add(bytes, at, length, 0, hash);
    while (this.nextKey.length < this.keys.capacity) {
      this.nextKey = doubled(this.nextKey);
      this.firstField = doubled(this.firstField);
    }
    return key;
  }

  addField(bytes: Uint8Array, at: number, length: number, key: number, hash: number, handle: number): number {
    // A field of a key that has no entry of its own would be found under every such key.
    const field = key === 0 ? 0 : this.fields.add(bytes, at, length, key, hash);
    while (this.handles.length < this.fields.capacity) {
      this.nextField = doubled(this.nextField);
      this.handles = doubled(this.handles);
    }
    this.handles[field] = handle;
    return field;
  }

  /** Entry of a line up to its value, made when there is none; 0 where the table has no place. */
  lineOf(bytes: Uint8Array, at: number, length: number, key: number, handle: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const hash = hashBytes(view, at, length, key);
    const known = this.lines.find(view, at, length, key, hash);
    if (known !== 0) return known;
    // A key and its first field were kept one behind the other: together they are the line.
    const line = this.lines.add(bytes, at, length, key, hash, this.keys.starts[key]);
    while (this.nextLine.length < this.lines.capacity) {
      this.nextLine = doubled(this.nextLine);
      this.keyOfLine = doubled(this.keyOfLine);
      this.handleOfLine = doubled(this.handleOfLine);
    }
    this.keyOfLine[line] = key;
    this.handleOfLine[line] = handle;
    return line;
  }
}
