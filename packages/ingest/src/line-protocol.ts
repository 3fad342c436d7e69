/**
 * Influx line protocol to columns.
 *
 *     cpu,host=a,region=eu usage=0.5,load=3i 1700000000000000000
 *     └────── key ───────┘ └field┘   └field┘ └── timestamp ──┘
 *
 * Splitting a line into strings and looking the series up costs ten times what the numbers do. Senders repeat their
 * series in the same order, so the decoder guesses: it compares the bytes at hand with those of the key that followed
 * the last one before, then likewise each field name. A wrong guess falls back to a hash table over the raw bytes, and
 * only bytes never seen before are taken apart as text (`line-text.ts`).
 *
 * A line with anything wrong in it is dropped whole, texts that go over several lines included, and reported; the others
 * are kept. A series is defined only when the whole line that brings it is sound, so that a broken line leaves nothing
 * behind: the line is read twice then, the first time *dry*.
 */
import { type SeriesDefinition, limits } from '@nowcast/contract';
import { hashBytes, sameBytes } from './byte-table.ts';
import { scanDecimal, scanMillis, scanNanos } from './decimal.ts';
import {
  type DecodeContext,
  defineSeries,
  definitionProblem,
  timestampBounds,
  timestampProblem,
} from './decode-context.ts';
import type { LineSeries } from './line-series.ts';
import {
  type LineKey,
  countNewlines,
  definitionOf,
  endOfBrokenLine,
  endOfKey,
  endOfLine,
  endOfString,
  endOfToken,
  escapedBytes,
  isInteger,
  parseFieldName,
  parseLineKey,
  parseToken,
  unquote,
  utf8Text,
} from './line-text.ts';
import { type Precision, scanShortTime, timestampOf } from './line-time.ts';
import { PlainLines, roomForTime } from './plain-lines.ts';
import type { PointColumns } from './point-columns.ts';

const newline = 10;
const carriageReturn = 13;
const space = 32;
const quote = 34;
const hash = 35;
const comma = 44;
const equals = 61;
const backslash = 92;
const letterI = 105;

export class LineProtocolDecoder {
  readonly #plain = new PlainLines();
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  #context!: DecodeContext;
  #columns!: PointColumns;
  #series!: LineSeries;
  #precision: Precision = 'ns';
  #minTimestamp = 0;
  #maxTimestamp = 0;
  #lastKey = 0;
  #previousKey = 0;
  #dry = false;
  #checkedLine = -1;
  #lineStart = 0;
  #firstRow = 0;
  /** Lines that hold a quoted text may go over several lines. */
  #hasText = false;
  /** Whether the line at hand says its time. */
  #isTimed = false;
  /** Bytes of the key at hand when it has no entry. */
  #keyLength = 0;
  #keyStart = 0;
  #parsedAt = -1;
  #parsed: LineKey | string = '';
  /** Place of the field that is being learned: the check of its line need not look at it again. */
  #learning = -1;
  #code = '';
  #problem = '';
  /** Integers of the last request that no double can hold. */
  roundedIntegers = 0;

  /** Reads all lines of `body` into the context's columns and rejections. Throws only `request.too_large`. */
  decode(body: Uint8Array, precision: Precision, series: LineSeries, context: DecodeContext): void {
    this.#bytes = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    this.#end = body.length;
    this.#context = context;
    this.#columns = context.columns;
    this.#series = series;
    this.#precision = precision;
    const bounds = timestampBounds(context);
    this.#minTimestamp = bounds.min;
    this.#maxTimestamp = bounds.max;
    this.#lastKey = 0;
    this.#checkedLine = -1;
    this.#parsedAt = -1;
    this.#learning = -1;
    this.roundedIntegers = 0;
    // A body that was refused may have been left in the middle of a line.
    this.#dry = false;
    this.#plain.begin(body, this.#view, precision, series, context.columns, bounds);
    this.#lines();
    this.#bytes = new Uint8Array(0);
  }

  #lines(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = 0;
    let line = 0;
    while (at < end) {
      const first = bytes[at]!;
      if (first <= space) {
        if (first === newline) line++;
        at++;
      } else if (first === hash) {
        at = endOfLine(bytes, at, end);
      } else {
        const known = this.#plain.read(at);
        if (known >= 0) {
          at = known;
          continue;
        }
        let next = this.#anyLine(at);
        const isBroken = next < 0;
        if (isBroken) {
          this.#context.rejections.add(line, this.#code, `line ${line + 1}: ${this.#problem}`);
          next = endOfBrokenLine(bytes, at, end);
        }
        if (isBroken || this.#hasText) line += countNewlines(bytes, at, next);
        at = next;
      }
    }
  }

  /** Decodes a line that is not like the one that came here before, and notes what is to be expected the next time. */
  #anyLine(start: number): number {
    const columns = this.#columns;
    const row = columns.length;
    const { lastKey } = this.#plain;
    if (lastKey !== 0) this.#lastKey = lastKey;
    const next = this.#line(start);
    const isPlain = next >= 0 && columns.length === row + 1 && !this.#hasText && this.#isTight(start);
    const field = isPlain ? this.#series.firstField[this.#lastKey]! : 0;
    const length = this.#keyLength + this.#series.fields.lengths[field]!;
    this.#plain.note(start, length, field === 0 ? 0 : this.#lastKey, columns.series[row]!);
    return next;
  }

  /** Whether the field of the line at hand follows its key without a further space. */
  #isTight(start: number): boolean {
    return this.#keyStart === start && this.#bytes[start + this.#keyLength] !== space;
  }

  /** Decodes the line at `start`; the place of its newline (or the end), or −1 after `#fail`, with no row kept. */
  #line(start: number): number {
    const columns = this.#columns;
    const firstRow = columns.length;
    const rounded = this.roundedIntegers;
    this.#lineStart = start;
    this.#firstRow = firstRow;
    this.#hasText = false;
    const key = this.#key(start);
    let at = key < 0 ? -1 : this.#fields(key, start + this.#keyLength);
    if (at >= 0) at = this.#tail(at, firstRow);
    if (at < 0) {
      columns.truncate(firstRow);
      this.roundedIntegers = rounded;
    }
    return at;
  }

  /** Entry of the key at `at` (0: none yet), its length in `#keyLength`; −1 after `#fail`. */
  #key(at: number): number {
    const series = this.#series;
    const keys = series.keys;
    this.#keyStart = at;
    let key = series.nextKey[this.#lastKey]!;
    let length = keys.lengths[key]!;
    if (
      key === 0 ||
      at + length > this.#end ||
      !sameBytes(this.#view, at, keys.view, keys.starts[key]!, length)
    ) {
      length = this.#scanKey(at);
      if (length < 0) return -1;
      key = keys.find(this.#view, at, length, 0, hashBytes(this.#view, at, length, 0));
      if (!this.#dry) series.nextKey[this.#lastKey] = key;
    }
    this.#keyLength = length;
    if (!this.#dry) this.#previousKey = this.#lastKey;
    this.#lastKey = key;
    return key;
  }

  /** Length of the key at `at`, its final space included. */
  #scanKey(at: number): number {
    const end = endOfKey(this.#bytes, at, this.#end);
    if (this.#bytes[end] === space) return end + 1 - at;
    return this.#fail(
      'request.invalid',
      'there are no fields; write measurement,tag=value field=1 timestamp',
    );
  }

  /** Decodes `name=value,…` into one row each; the place after them, or −1. */
  #fields(key: number, from: number): number {
    const columns = this.#columns;
    const series = this.#series;
    let at = from;
    let previous = 0;
    for (;;) {
      let field = previous === 0 ? series.firstField[key]! : series.nextField[previous]!;
      const table = series.fields;
      let length = table.lengths[field]!;
      if (
        field === 0 ||
        at + length > this.#end ||
        !sameBytes(this.#view, at, table.view, table.starts[field]!, length)
      ) {
        if (at === from) at = this.#skipSpaces(at);
        length = this.#scanField(at);
        if (length < 0) return -1;
        field = this.#field(key, at, length);
        if (field < 0) return -1;
        // Learning may have given the key an entry.
        const owner = this.#lastKey;
        if (previous === 0 && owner !== 0) series.firstField[owner] = field;
        else if (previous !== 0) series.nextField[previous] = field;
        if (owner !== 0) key = owner;
      }
      const row = columns.length;
      if (row === columns.capacity) columns.grow();
      if (!this.#dry) columns.series[row] = series.handles[field]!;
      at = this.#value(at + length, row);
      if (at < 0) return -1;
      columns.length = row + 1;
      if (this.#bytes[at] !== comma) return at;
      at++;
      previous = field;
    }
  }

  #skipSpaces(from: number): number {
    let at = from;
    while (this.#bytes[at] === space) at++;
    return at;
  }

  /** Length of the field name at `at`, its `=` included. */
  #scanField(at: number): number {
    const bytes = this.#bytes;
    for (let i = at; i < this.#end; i++) {
      const byte = bytes[i]!;
      if (byte === backslash) i += escapedBytes(bytes[i + 1]);
      else if (byte === equals) return i + 1 - at;
      else if (byte === comma || byte <= space) break;
    }
    return this.#fail('request.invalid', 'a field is not name=value; write for example usage=0.5');
  }

  /** Entry of the field name at `at`, learned when it is new (then 0 where the table has no place); −1: refused. */
  #field(key: number, at: number, length: number): number {
    const fields = this.#series.fields;
    const known =
      key === 0 ? 0 : fields.find(this.#view, at, length, key, hashBytes(this.#view, at, length, key));
    return known === 0 ? this.#learn(key, at, length) : known;
  }

  #learn(key: number, at: number, length: number): number {
    if (this.#dry && at === this.#learning) return 0;
    const keyFrom = this.#keyStart;
    const keyLength = this.#keyLength;
    const parsed = this.#parseKey();
    if (typeof parsed === 'string') return this.#fail('request.invalid', parsed);
    const name = parseFieldName(this.#bytes, at, at + length - 1);
    if (typeof name === 'string') return this.#fail('request.invalid', name);
    const definition = definitionOf(this.#context.tenant, parsed, name.name);
    const problem = definitionProblem(definition);
    if (problem !== undefined) return this.#fail('request.invalid', problem);
    if (this.#dry) return 0;
    this.#learning = at;
    if (!this.#isLineSound()) return -1;
    const handle = this.#define(definition);
    if (handle < 0) return -1;
    const view = this.#view;
    const series = this.#series;
    let owner = key === 0 ? this.#lastKey : key;
    if (owner === 0) {
      owner = series.addKey(this.#bytes, keyFrom, keyLength, hashBytes(view, keyFrom, keyLength, 0));
      this.#lastKey = owner;
      series.nextKey[this.#previousKey] = owner;
    }
    return series.addField(this.#bytes, at, length, owner, hashBytes(view, at, length, owner), handle);
  }

  /** The key at hand in parts, or what is wrong with it; once for all fields of a line. */
  #parseKey(): LineKey | string {
    if (this.#parsedAt !== this.#keyStart) {
      this.#parsedAt = this.#keyStart;
      this.#parsed = parseLineKey(this.#bytes, this.#keyStart, this.#keyStart + this.#keyLength - 1);
    }
    return this.#parsed;
  }

  #define(definition: SeriesDefinition): number {
    const defined = defineSeries(this.#context, definition);
    return typeof defined === 'number' ? defined : this.#fail(defined.code, defined.message);
  }

  /** Reads the line at hand without defining anything; false after `#fail`. Once a line. */
  #isLineSound(): boolean {
    const start = this.#lineStart;
    if (this.#checkedLine === start) return true;
    const { length } = this.#columns;
    const { roundedIntegers } = this;
    const lastKey = this.#lastKey;
    // The rows decoded so far are decoded again in place; a dry run does not touch the column of handles.
    this.#columns.truncate(this.#firstRow);
    this.#dry = true;
    const end = this.#line(start);
    this.#dry = false;
    this.#columns.truncate(Math.min(length, this.#columns.length));
    this.roundedIntegers = roundedIntegers;
    this.#lastKey = lastKey;
    this.#checkedLine = start;
    return end >= 0;
  }

  /** Decodes the value at `at` into `row`; the place after it, or −1. */
  #value(at: number, row: number): number {
    const bytes = this.#bytes;
    const values = this.#columns.values;
    const next = scanDecimal(bytes, at, values, row);
    if (next >= 0) {
      const after = next < this.#end ? bytes[next]! : newline;
      if (after <= space || after === comma) return next;
      if (after === letterI && Math.abs(values[row]!) < 2 ** 53 && isInteger(bytes, at, next)) {
        const last = next + 1 < this.#end ? bytes[next + 1]! : newline;
        if (last <= space || last === comma) {
          values[row] = values[row]! + 0; // no integer is -0
          return next + 1;
        }
      }
    }
    return this.#unusualValue(at, row);
  }

  #unusualValue(at: number, row: number): number {
    const bytes = this.#bytes;
    if (bytes[at] === quote) return this.#stringValue(at, row);
    const end = endOfToken(bytes, at, this.#end);
    const text = utf8Text(bytes, at, Math.min(end, at + 500)) ?? '';
    const parsed = parseToken(text);
    if (typeof parsed === 'string') return this.#fail('request.invalid', parsed);
    this.#columns.values[row] = parsed.value;
    if (parsed.rounded) this.roundedIntegers++;
    return end;
  }

  #stringValue(at: number, row: number): number {
    const end = endOfString(this.#bytes, at, this.#end);
    if (end < 0) return this.#fail('request.invalid', 'a quoted text does not end');
    const after = this.#bytes[end];
    if (after !== undefined && after !== comma && after > space) {
      return this.#fail(
        'request.invalid',
        'something follows a quoted text; escape quotes inside it by a backslash',
      );
    }
    const message = unquote(this.#bytes, at, end);
    if (message === undefined) return this.#fail('request.invalid', 'a quoted text is not valid UTF-8');
    if (message.length > limits.messageLength) {
      return this.#fail('request.invalid', `a text is longer than ${limits.messageLength} characters`);
    }
    this.#hasText = true;
    this.#columns.values[row] = 1;
    this.#columns.setExtra(row, undefined, undefined, message);
    return end;
  }

  /** Reads the timestamp after the fields, gives it to the line's rows and finds the end of the line. */
  #tail(at: number, firstRow: number): number {
    const columns = this.#columns;
    let place = at;
    let timestamp = this.#context.receivedAt;
    this.#isTimed = this.#bytes[place] === space;
    if (this.#isTimed) {
      place = this.#timestamp(place + 1, firstRow);
      if (place < 0) return -1;
      timestamp = columns.timestamps[firstRow]!;
    }
    if (this.#bytes[place] !== newline) {
      place = this.#lineEnd(place);
      if (place < 0) return -1;
    }
    if (!(timestamp >= this.#minTimestamp && timestamp <= this.#maxTimestamp)) {
      return this.#fail('request.invalid', timestampProblem(timestamp, this.#context));
    }
    const { timestamps, length } = columns;
    for (let row = firstRow; row < length; row++) timestamps[row] = timestamp;
    if (!this.#isTimed) columns.markUntimed(firstRow);
    return place;
  }

  /** Nineteen digits of nanoseconds in one go; everything else as text. */
  #timestamp(at: number, row: number): number {
    if (this.#precision === 'ns' && at + roomForTime <= this.#end) {
      const end = scanNanos(this.#view, at, this.#columns.timestamps, row);
      if (end >= 0 && this.#bytes[end]! <= space) return end;
    }
    if (this.#precision === 'ms' && at + 16 <= this.#end) {
      const end = scanMillis(this.#view, at, this.#columns.timestamps, row);
      if (end >= 0 && this.#bytes[end]! <= space) return end;
    }
    if (this.#precision !== 'ns') {
      const end = scanShortTime(this.#bytes, at, this.#end, this.#precision, this.#columns.timestamps, row);
      if (end >= 0) return end;
    }
    return this.#otherTimestamp(at, row);
  }

  #otherTimestamp(from: number, row: number): number {
    const at = this.#skipSpaces(from);
    const end = endOfToken(this.#bytes, at, this.#end);
    if (end === at) {
      this.#columns.timestamps[row] = this.#context.receivedAt;
      this.#isTimed = false;
      return at;
    }
    const text = utf8Text(this.#bytes, at, Math.min(end, at + 60)) ?? '';
    if (!/^-?\d{1,20}$/.test(text)) {
      return this.#fail(
        'request.invalid',
        `"${text}" is not a timestamp; write a whole number of ${this.#precision}`,
      );
    }
    this.#columns.timestamps[row] = timestampOf(text, this.#precision);
    return end;
  }

  /** Skips what may stand before the end of a line. */
  #lineEnd(from: number): number {
    let at = from;
    while (at < this.#end && (this.#bytes[at] === space || this.#bytes[at] === carriageReturn)) at++;
    if (at === this.#end || this.#bytes[at] === newline) return at;
    return this.#fail('request.invalid', 'something follows the timestamp; one line holds one timestamp');
  }

  #fail(code: string, problem: string): number {
    this.#code = code;
    this.#problem = problem;
    return -1;
  }
}
