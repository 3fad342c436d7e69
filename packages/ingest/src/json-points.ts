/**
 * Points in JSON to columns: one object, an array of them, or one a line (NDJSON).
 *
 * `JSON.parse` makes an object, its strings and their map for every point, and stops at 0.9 million points a second.
 * Here the text of a point is compared with that of the point that followed the last one before (`json-templates.ts`);
 * where it fits, only the numbers are read. Where it does not, the point is read member by member (`json-point.ts`)
 * and its template looked up, or learned.
 *
 * A body whose syntax is broken is refused whole (in NDJSON: the line), a sound point that cannot be kept is reported
 * and the others are kept. A series is only defined once the syntax of everything that could still be refused has
 * been checked, so that a refused body leaves nothing behind.
 */
import { appError } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import { sameBytes } from './byte-table.ts';
import { endsNumber, scanDecimal, scanMillis } from './decimal.ts';
import { type DecodeContext, defineSeries, timestampBounds, timestampProblem } from './decode-context.ts';
import { JsonPoint, textLimits } from './json-point.ts';
import { JsonScanner } from './json-scanner.ts';
import { type JsonTemplates, type TemplateSets, cut } from './json-templates.ts';
import { LastTime } from './last-time.ts';
import type { PointColumns } from './point-columns.ts';
import { parseRfc3339 } from './rfc3339.ts';

const newline = 10;
const comma = 44;
const openArray = 0x5b;
const openObject = 0x7b;
const quote = 0x22;
const backslash = 0x5c;
/** Longest text cut that is looked at without the scanner. */
const shortText = 64;

export type JsonFormat = 'json' | 'ndjson';

export class JsonDecoder {
  readonly #scanner = new JsonScanner();
  readonly #point = new JsonPoint(this.#scanner);
  #bytes: Uint8Array = new Uint8Array(0);
  #text: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  #context!: DecodeContext;
  #columns!: PointColumns;
  #sets!: TemplateSets;
  /** The set of what is read. */
  #templates!: JsonTemplates;
  readonly #time = new LastTime();
  #minTimestamp = 0;
  #maxTimestamp = 0;
  #last = 0;
  #depth = 0;
  #index = 0;
  #linePrefix = false;
  /** Place of the array whose syntax must be checked before a series is defined; −1: done, or not needed. */
  #unchecked = -1;
  #hasText = false;
  #dataId: string | undefined;
  #actor: string | undefined;
  #message: string | undefined;

  /**
   * Reads the points of `body` into the context's columns and rejections. Throws `request.invalid` when the body is
   * not JSON and `request.too_large` for too many points; then nothing of it may be kept.
   */
  decode(body: Uint8Array, format: JsonFormat, templates: TemplateSets, context: DecodeContext): void {
    this.#bytes = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    this.#time.begin(this.#view, 13);
    this.#text = Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#end = body.length;
    this.#scanner.bytes = body;
    this.#scanner.view = this.#view;
    this.#scanner.end = body.length;
    this.#context = context;
    this.#columns = context.columns;
    this.#sets = templates;
    this.#templates = templates.json;
    const bounds = timestampBounds(context);
    this.#minTimestamp = bounds.min;
    this.#maxTimestamp = bounds.max;
    this.#last = 0;
    this.#index = 0;
    this.#unchecked = -1;
    // A body that was refused may have left the texts of its last point.
    this.#dropText();
    this.#body(format);
    this.#bytes = new Uint8Array(0);
    this.#scanner.bytes = this.#bytes;
  }

  #body(format: JsonFormat): void {
    const start = this.#scanner.skipSpace(startOfText(this.#bytes));
    if (format === 'ndjson') return this.#lines();
    if (start === this.#end) {
      throw appError(
        'request.invalid',
        'the body is empty; send {"metric_type": "…", "value": 1} or an array of such points',
      );
    }
    if (this.#bytes[start] === openArray) return this.#array(start);
    return this.#single(start);
  }

  #array(start: number): void {
    this.#depth = 1;
    this.#linePrefix = false;
    this.#unchecked = start;
    const scanner = this.#scanner;
    let at = scanner.skipSpace(start + 1);
    if (this.#bytes[at] === 0x5d) at++;
    else {
      for (;;) {
        at = this.#element(at);
        this.#index++;
        if (this.#bytes[at] === comma && this.#bytes[at + 1] === openObject) {
          at++;
          continue;
        }
        at = this.#sound(scanner.next(at, 0x5d));
        if (scanner.closed) break;
      }
    }
    at = scanner.skipSpace(at);
    if (at < this.#end) this.#sound(scanner.fail(at, 'something follows the array'));
  }

  #element(at: number): number {
    if (this.#bytes[at] !== openObject) {
      const end = this.#sound(this.#scanner.skipValue(at, this.#depth));
      this.#reject('request.invalid', 'a point is an object: {"metric_type": "…", "value": 1}');
      return end;
    }
    const end = this.#known(at);
    return end >= 0 ? end : this.#sound(this.#unknown(at));
  }

  /** One object; or, when a newline and another one follow, one a line. */
  #single(start: number): void {
    this.#depth = 0;
    this.#linePrefix = false;
    this.#unchecked = start;
    const end = this.#sound(this.#scanner.skipValue(start, 0));
    const after = this.#scanner.skipSpace(end);
    if (after === this.#end) {
      this.#unchecked = -1;
      this.#element(start);
      return;
    }
    const newlineAt = this.#bytes.indexOf(newline, end);
    if (this.#bytes[after] !== openObject || newlineAt < 0 || newlineAt > after) {
      this.#sound(
        this.#scanner.fail(after, 'something follows the point; send several as an array or one a line'),
      );
    }
    this.#lines();
  }

  #lines(): void {
    this.#templates = this.#sets.ndjson;
    this.#depth = 0;
    this.#linePrefix = true;
    this.#unchecked = -1;
    const bytes = this.#bytes;
    let at = startOfText(bytes);
    while (at < this.#end) {
      const byte = bytes[at]!;
      if (byte === newline) {
        this.#index++;
        at++;
      } else if (byte === 32 || byte === 13 || byte === 9) at++;
      else at = this.#oneLine(at);
    }
  }

  /** The place of the newline that ends the line. */
  #oneLine(at: number): number {
    const row = this.#columns.length;
    if (this.#bytes[at] === openObject) {
      const end = this.#known(at);
      if (end >= 0) {
        const after = this.#bytes[end];
        if (after === newline || end === this.#end) return end;
        this.#columns.truncate(row);
      }
    }
    const found = this.#bytes.indexOf(newline, at);
    const lineEnd = found < 0 ? this.#end : found;
    const scanner = this.#scanner;
    scanner.end = lineEnd;
    this.#wholeLine(at, lineEnd);
    scanner.end = this.#end;
    return lineEnd;
  }

  #wholeLine(at: number, lineEnd: number): void {
    const scanner = this.#scanner;
    if (this.#bytes[at] !== openObject) {
      this.#reject('request.invalid', 'a line is one object: {"metric_type": "…", "value": 1}');
      return;
    }
    const end = scanner.skipValue(at, 0);
    if (end >= 0 && scanner.skipSpace(end) < lineEnd) scanner.fail(end, 'something follows the point');
    else if (end >= 0) {
      this.#unknown(at);
      return;
    }
    this.#reject(
      'request.invalid',
      `not valid JSON at byte ${scanner.problemAt - at} of the line: ${scanner.problem}`,
    );
  }

  /** Matches the expected template; the place after the point, or −1 with nothing kept. */
  #known(from: number): number {
    const templates = this.#templates;
    const template = templates.next[this.#last]!;
    if (template === 0) return -1;
    const columns = this.#columns;
    const row = columns.length;
    if (row === columns.capacity) columns.grow();
    const timestamps = columns.timestamps;
    timestamps[row] = this.#context.receivedAt;
    const view = this.#view;
    const kept = templates.texts.view;
    let at = from;
    for (let piece = templates.firstPiece[template]!; ; piece++) {
      const length = templates.pieceLengths[piece]!;
      if (at + length > this.#end || !sameBytes(view, at, kept, templates.pieceStarts[piece]!, length))
        return -1;
      at += length;
      const kind = templates.pieceCuts[piece]!;
      if (kind === cut.end) break;
      if (kind === cut.value) at = scanDecimal(this.#bytes, at, columns.values, row);
      else if (kind === cut.timestamp) at = this.#knownTimestamp(at, row);
      else at = this.#knownText(at, kind, row);
      if (at < 0) return -1;
    }
    const timestamp = timestamps[row] ?? Number.NaN;
    if (!(timestamp >= this.#minTimestamp && timestamp <= this.#maxTimestamp)) return -1;
    this.#last = template;
    columns.series[row] = templates.handles[template]!;
    columns.length = row + 1;
    if (this.#hasText) this.#keepText(row);
    return at;
  }

  #knownTimestamp(at: number, row: number): number {
    const { timestamps } = this.#columns;
    if (at + 16 <= this.#end) {
      if (this.#time.isAt(at) && endsNumber(this.#bytes[at + 13]!)) {
        timestamps[row] = this.#time.value;
        return at + 13;
      }
      const end = scanMillis(this.#view, at, timestamps, row);
      if (end >= 0) {
        this.#time.note(at, timestamps[row]!);
        return end;
      }
    }
    return scanDecimal(this.#bytes, at, timestamps, row);
  }

  /** A text cut without escapes; anything longer or stranger is left to `#unknown`. */
  #knownText(from: number, kind: number, row: number): number {
    const bytes = this.#bytes;
    if (bytes[from] !== quote) return -1;
    const limit = Math.min(this.#end, from + shortText);
    let at = from + 1;
    while (at < limit) {
      const byte = bytes[at]!;
      if (byte === quote) break;
      if (byte < 0x20 || byte >= 0x80 || byte === backslash) return -1;
      at++;
    }
    if (at >= limit) return -1;
    if (kind === cut.timestampText) {
      this.#columns.timestamps[row] = parseRfc3339(bytes, from + 1, at);
    } else this.#noteText(kind, this.#ascii(from + 1, at));
    return at + 1;
  }

  #ascii(from: number, to: number): string {
    return this.#text.toString('latin1', from, to);
  }

  #noteText(kind: number, text: string): void {
    this.#hasText = true;
    if (kind === cut.dataId) this.#dataId = text === '' ? undefined : text;
    else if (kind === cut.actor) this.#actor = text === '' ? undefined : text;
    else this.#message = text === '' ? undefined : text;
  }

  #keepText(row: number): void {
    if (this.#dataId !== undefined || this.#actor !== undefined || this.#message !== undefined) {
      this.#columns.setExtra(row, this.#dataId, this.#actor, this.#message);
    }
    this.#dropText();
  }

  #dropText(): void {
    this.#hasText = false;
    this.#dataId = undefined;
    this.#actor = undefined;
    this.#message = undefined;
  }

  /** Reads a point member by member; the place after it, or −1 for broken syntax. */
  #unknown(from: number): number {
    this.#dropText();
    const end = this.#point.read(from, this.#depth + 1);
    if (end < 0) return end;
    if (this.#point.problem === '') this.#keep();
    else this.#reject('request.invalid', this.#point.problem);
    return end;
  }

  #keep(): number {
    const columns = this.#columns;
    const row = columns.length;
    if (row === columns.capacity) columns.grow();
    columns.timestamps[row] = this.#context.receivedAt;
    const problem = this.#readCuts(row);
    if (problem !== undefined) return this.#reject('request.invalid', problem);
    const timestamp = columns.timestamps[row] ?? Number.NaN;
    if (!(timestamp >= this.#minTimestamp && timestamp <= this.#maxTimestamp)) {
      return this.#reject('request.invalid', timestampProblem(timestamp, this.#context));
    }
    const handle = this.#seriesOfPoint();
    if (handle < 0) return -1;
    columns.series[row] = handle;
    columns.length = row + 1;
    if (this.#hasText) this.#keepText(row);
    return row;
  }

  /** Reads the changing parts of the point into `row`; what is wrong with them, or undefined. */
  #readCuts(row: number): string | undefined {
    const { cuts, cutKinds, cutFrom, cutTo, cutEscaped } = this.#point;
    for (let i = 0; i < cuts; i++) {
      const kind = cutKinds[i]!;
      const from = cutFrom[i]!;
      const to = cutTo[i]!;
      if (kind === cut.value || kind === cut.timestamp) {
        const column = kind === cut.value ? this.#columns.values : this.#columns.timestamps;
        if (scanDecimal(this.#bytes, from, column, row) !== to) column[row] = Number(this.#ascii(from, to));
        if (!Number.isFinite(column[row])) return 'a number is too large';
      } else if (kind === cut.timestampText) {
        const timestamp = parseRfc3339(this.#bytes, from + 1, to - 1);
        if (Number.isNaN(timestamp)) {
          return 'the timestamp is not RFC 3339; write 2026-01-31T12:00:00.5Z or milliseconds as a number';
        }
        this.#columns.timestamps[row] = timestamp;
      } else {
        const problem = this.#readText(kind, from, to, cutEscaped[i] === 1);
        if (problem !== undefined) return problem;
      }
    }
    return undefined;
  }

  #readText(kind: number, from: number, to: number, escaped: boolean): string | undefined {
    const text = this.#scanner.text(from, to, escaped);
    const limit = textLimits.get(kind);
    assert(limit !== undefined, 'a text cut has a limit');
    if (text === undefined) return `the ${limit.name} is not valid Unicode`;
    if (text.length > limit.length) return `the ${limit.name} is longer than ${limit.length} characters`;
    this.#noteText(kind, text);
    return undefined;
  }

  /** Handle of the series of the point just read, by its template or by its definition; −1 after a rejection. */
  #seriesOfPoint(): number {
    const point = this.#point;
    const templates = this.#templates;
    const { template, templateLength, templateHash } = point;
    let known = templates.texts.find(point.templateView, 0, templateLength, 0, templateHash);
    let handle = known === 0 ? -1 : templates.handles[known]!;
    if (known === 0) {
      handle = this.#define();
      if (handle < 0) return -1;
      known = templates.add(template, templateLength, templateHash, handle);
    }
    templates.next[this.#last] = known;
    this.#last = known;
    return handle;
  }

  #define(): number {
    const definition = this.#point.definition(this.#context.tenant);
    if (typeof definition === 'string') return this.#reject('request.invalid', definition);
    this.#checkSyntax();
    const defined = defineSeries(this.#context, definition);
    return typeof defined === 'number' ? defined : this.#reject(defined.code, defined.message);
  }

  /** Before the first definition: the whole array must be sound JSON. */
  #checkSyntax(): void {
    if (this.#unchecked < 0) return;
    const scanner = this.#scanner;
    const end = this.#sound(scanner.skipValue(this.#unchecked, 0));
    const after = scanner.skipSpace(end);
    if (after < this.#end) this.#sound(scanner.fail(after, 'something follows the array'));
    this.#unchecked = -1;
  }

  /** Passes a place on; throws `request.invalid` for the scanner's −1. */
  #sound(at: number): number {
    if (at >= 0) return at;
    const { problem, problemAt } = this.#scanner;
    let line = 1;
    for (let i = 0; i < problemAt; i++) if (this.#bytes[i] === newline) line++;
    throw appError(
      'request.invalid',
      `the body is not valid JSON at byte ${problemAt} (line ${line}): ${problem}; nothing was kept`,
    );
  }

  /** Reports the point at hand; always −1. */
  #reject(code: string, problem: string): number {
    const place = this.#linePrefix ? `line ${this.#index + 1}: ` : '';
    this.#context.rejections.add(this.#index, code, place + problem);
    this.#dropText();
    return -1;
  }
}

/** Skips a byte order mark, which some shells put first. */
function startOfText(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
