/**
 * What the JSON decoder remembers of one tenant. A *template* is the text of a point with its changing parts cut out:
 *
 *     {"metric_type":"cpu","value":␁,"timestamp":␂,"labels":{"host":"a"}}
 *
 * A cut is marked by its kind, a control character that JSON text cannot hold. Whoever sends the same bytes around
 * the same cuts means the same series, so that a known template is matched by comparing bytes and reading numbers.
 * Like `LineSeries`, only a cache.
 */
import { ByteArena, ByteTable, doubled } from './byte-table.ts';

/** Kinds of cuts, in the order of the digits in `members`. 0 ends a template. */
export const cut = {
  end: 0,
  value: 1,
  timestamp: 2,
  timestampText: 3,
  dataId: 4,
  actor: 5,
  message: 6,
} as const;

/** NDJSON has templates of its own: those of other JSON may go over several lines, which no line of it does. */
export interface TemplateSets {
  json: JsonTemplates;
  ndjson: JsonTemplates;
}

export class JsonTemplates {
  readonly #arena = new ByteArena();
  readonly texts = new ByteTable(this.#arena);
  /** Template that followed a template; of entry 0: the first of a request. */
  next = new Int32Array(64);
  handles = new Int32Array(64);
  /** First piece of a template; a template's pieces are consecutive and the last one has the cut `end`. */
  firstPiece = new Int32Array(64);
  pieceStarts = new Int32Array(256);
  pieceLengths = new Int32Array(256);
  /** What is cut out after the piece. */
  pieceCuts = new Int32Array(256);
  #pieces = 0;

  get size(): number {
    return this.#arena.size + this.texts.size + this.pieceStarts.length * 12 + this.next.length * 12;
  }

  /** Keeps a template whose cuts are marked in `bytes`; 0 when the table has no place for it. */
  add(bytes: Uint8Array, length: number, hash: number, handle: number): number {
    const template = this.texts.add(bytes, 0, length, 0, hash);
    if (template === 0) return 0;
    while (this.next.length < this.texts.capacity) {
      this.next = doubled(this.next);
      this.handles = doubled(this.handles);
      this.firstPiece = doubled(this.firstPiece);
    }
    this.handles[template] = handle;
    this.firstPiece[template] = this.#pieces;
    const start = this.texts.starts[template]!;
    let from = 0;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (byte > cut.message) continue;
      this.#addPiece(start + from, at - from, byte);
      from = at + 1;
    }
    this.#addPiece(start + from, length - from, cut.end);
    return template;
  }

  #addPiece(start: number, length: number, after: number): void {
    if (this.#pieces === this.pieceStarts.length) {
      this.pieceStarts = doubled(this.pieceStarts);
      this.pieceLengths = doubled(this.pieceLengths);
      this.pieceCuts = doubled(this.pieceCuts);
    }
    this.pieceStarts[this.#pieces] = start;
    this.pieceLengths[this.#pieces] = length;
    this.pieceCuts[this.#pieces] = after;
    this.#pieces++;
  }
}
