/**
 * The parts of a line of Influx line protocol as text: what is only looked at when a series or a field is seen for
 * the first time, or when a value is not a plain number. Syntax as in "Line protocol reference" of InfluxDB 1.x/2.x:
 * a backslash escapes a comma or space of the measurement and a comma, space or `=` of tags and field names; inside
 * a quoted string it escapes `"` and itself; anywhere else it stands for itself.
 */
import type { SeriesDefinition } from '@nowcast/contract';
import { sortLabels } from './decode-context.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const backslash = 0x5c;
const quote = 0x22;
const newline = 10;
const space = 0x20;
const equals = 0x3d;
const dot = 46;

/** The text, or undefined when it is not UTF-8. */
export function utf8Text(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (isAscii(bytes, from, to))
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
  try {
    return utf8.decode(bytes.subarray(from, to));
  } catch {
    return undefined;
  }
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

export interface LineKey {
  measurement: string;
  source: string;
  labels: [string, string][];
}

/** Measurement and tags of the raw key `measurement,tag=value,…`, or what is wrong with them. */
export function parseLineKey(bytes: Uint8Array, from: number, to: number): LineKey | string {
  const text = utf8Text(bytes, from, to);
  if (text === undefined) return 'the measurement or a tag is not valid UTF-8';
  const parts = splitUnescaped(text, ',');
  const measurement = parts[0]!.includes('\\') ? parts[0]!.replaceAll(/\\([, ])/g, '$1') : parts[0]!;
  if (measurement === '') return 'the measurement is missing';
  let source = '';
  const labels: [string, string][] = [];
  for (const part of parts.slice(1)) {
    const pair = splitUnescaped(part, '=');
    if (pair.length !== 2 || pair[0] === '' || pair[1] === '') {
      return `the tag "${part.slice(0, 60)}" is not name=value; escape commas, spaces and = by a backslash`;
    }
    labels.push([unescapeTag(pair[0]!), unescapeTag(pair[1]!)]);
  }
  const twice = sortLabels(labels);
  if (twice !== undefined) return `the tag "${twice}" occurs twice`;
  const sourceAt = labels.findIndex(([name]) => name === 'source');
  if (sourceAt >= 0) source = labels.splice(sourceAt, 1)[0]![1];
  return { measurement, source, labels };
}

/** Name of the raw field key in `[from, to)`, or what is wrong with it. */
export function parseFieldName(bytes: Uint8Array, from: number, to: number): { name: string } | string {
  const text = utf8Text(bytes, from, to);
  if (text === undefined) return 'a field name is not valid UTF-8';
  if (text === '') return 'a field name is missing';
  return { name: unescapeTag(text) };
}

/** The series of a field; its metric is `measurement_field`, and the measurement alone for a field called `value`. */
export function definitionOf(tenant: string, key: LineKey, field: string): SeriesDefinition {
  const { measurement, source, labels } = key;
  const metric_type = field === 'value' ? measurement : `${measurement}_${field}`;
  return { tenant, metric_type, source, labels };
}

function unescapeTag(text: string): string {
  return !text.includes('\\') ? text : text.replaceAll(/\\([,= ])/g, '$1');
}

function splitUnescaped(text: string, separator: string): string[] {
  if (!text.includes('\\')) return text.split(separator);
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && text[i + 1] !== '\\') i++;
    else if (text[i] === separator) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Place after the closing quote of the string that opens at `at`, or −1 when it does not close. */
export function endOfString(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    if (bytes[i] === backslash) i++;
    else if (bytes[i] === quote) return i + 1;
  }
  return -1;
}

/** Text of a quoted string, quotes included in the range; undefined when it is not UTF-8. */
export function unquote(bytes: Uint8Array, from: number, to: number): string | undefined {
  return utf8Text(bytes, from + 1, to - 1)?.replaceAll(/\\(["\\])/g, '$1');
}

/** Place of the first byte at or after `at` that cannot belong to an unquoted value. */
export function endOfToken(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i]! > 0x20 && bytes[i] !== 0x2c) i++;
  return i;
}

/** Place of the newline that ends the line at `at`, or `end`. */
export function endOfLine(bytes: Uint8Array, at: number, end: number): number {
  const found = bytes.indexOf(newline, at);
  return found < 0 || found > end ? end : found;
}

/** Place of the space that ends the key at `at`, of the newline where there is none, or `end`. */
export function endOfKey(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === backslash) i += escapedBytes(bytes[i + 1]);
    else if (byte === space || byte === newline) return i;
  }
  return end;
}

/**
 * Place of the newline that ends the line at `at`, or `end`, whatever is wrong with the line: what stands in a text of
 * its fields is no line. A text that does not close ends with the line that it opens in.
 */
export function endOfBrokenLine(bytes: Uint8Array, at: number, end: number): number {
  let from = endOfKey(bytes, at, end);
  for (;;) {
    const text = textOrEndOfLine(bytes, from, end);
    if (text === end || bytes[text] === newline) return text;
    from = endOfString(bytes, text, end);
    if (from < 0) return endOfLine(bytes, text, end);
  }
}

/**
 * Place of the opening quote of the text that is still open where `line` ends, without its newline: −1 when it was open
 * before (`isInText`), undefined when none is. For who has a file line by line.
 */
export function openText(line: Uint8Array, isInText: boolean): number | undefined {
  const end = line.length;
  let text = -1;
  let from = isInText ? endOfString(line, text, end) : endOfKey(line, 0, end);
  while (from >= 0) {
    text = textOrEndOfLine(line, from, end);
    if (text === end) return undefined;
    from = endOfString(line, text, end);
  }
  return text;
}

/** Place of the quote that opens the next text at or after `from`, behind a `=`; or of what ends the line before. */
function textOrEndOfLine(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === newline) return i;
    if (byte === backslash) i += escapedBytes(bytes[i + 1]);
    else if (byte === equals && bytes[i + 1] === quote) return i + 1;
  }
  return end;
}

const truths = new Map([
  ...['t', 'T', 'true', 'True', 'TRUE'].map((text) => [text, 1] as const),
  ...['f', 'F', 'false', 'False', 'FALSE'].map((text) => [text, 0] as const),
]);
const longestNumber = 400;

/** A number, boolean or integer as text; `rounded` when an integer was beyond what a double holds exactly. */
export function parseToken(text: string): { value: number; rounded: boolean } | string {
  const truth = truths.get(text);
  if (truth !== undefined) return { value: truth, rounded: false };
  if (text.length > longestNumber) return 'a value is longer than any number';
  if (/^[+-]?\d+[iu]$/.test(text)) return parseInteger(text);
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    return `"${text.slice(0, 60)}" is not a value: write a number, 12i, 12u, true, false or "text"`;
  }
  const value = Number(text);
  return Number.isFinite(value)
    ? { value, rounded: false }
    : `${text.slice(0, 60)} is too large for a number`;
}

function parseInteger(text: string): { value: number; rounded: boolean } | string {
  const digits = text.slice(0, -1);
  const exact = BigInt(digits.startsWith('+') ? digits.slice(1) : digits);
  const fits = text.endsWith('i') ? BigInt.asIntN(64, exact) === exact : BigInt.asUintN(64, exact) === exact;
  if (!fits) return `${text.slice(0, 60)} does not fit 64 bits`;
  const value = Number(exact);
  return { value, rounded: BigInt(value) !== exact };
}

/** Bytes to pass over after a backslash: it escapes what follows, unless that is a backslash or ends the line. */
export function escapedBytes(next: number | undefined): number {
  return next === backslash || next === newline ? 0 : 1;
}

/** Newlines in a range. */
export function countNewlines(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (bytes[i] === newline) count++;
  return count;
}

/** Whether a number's text has no point. */
export function isInteger(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === dot) return false;
  return true;
}
