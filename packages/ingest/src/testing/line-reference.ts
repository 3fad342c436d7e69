/** Line protocol read slowly, as text, one character after the other: what the fast decoder must agree with. */
import { limits } from '@nowcast/contract';
import { type Point, receivedAt } from './decoded.ts';

type Outcome = { points: Point[]; end: number } | undefined;

const unitsPerMs = { ns: 1_000_000n, us: 1000n, ms: 1n } as const;

export function referenceLines(
  body: string,
  precision: keyof typeof unitsPerMs = 'ns',
): { points: Point[]; rejectedLines: number[] } {
  const points: Point[] = [];
  const rejectedLines: number[] = [];
  let at = 0;
  let line = 0;
  while (at < body.length) {
    const char = body[at]!;
    if (char === '\n') line++;
    if (char <= ' ') at++;
    else if (char === '#') at = endOfLine(body, at);
    else {
      const outcome = readLine(body, at, precision);
      if (outcome === undefined) rejectedLines.push(line);
      else points.push(...outcome.points);
      const end = outcome?.end ?? endOfRefused(body, at);
      line += body.slice(at, end).split('\n').length - 1;
      at = end;
    }
  }
  return { points, rejectedLines };
}

function endOfLine(body: string, at: number): number {
  const found = body.indexOf('\n', at);
  return found < 0 ? body.length : found;
}

/** A text may go over several lines, of a refused line too; one that does not close ends with its line. */
function endOfRefused(body: string, start: number): number {
  let at = findStop(body, start, ' ');
  while (at < body.length && body[at] !== '\n') {
    const opens = body[at] === '"' && body[at - 1] === '=' && body[at - 2] !== '\\';
    const text = opens ? /^"(?:[^"\\]|\\[^])*"/.exec(body.slice(at)) : null;
    if (opens && text === null) return endOfLine(body, at);
    at += text?.[0].length ?? 1;
  }
  return at;
}

/** Place of the first of `stops` at or after `at` without a backslash right before it. */
function findStop(body: string, from: number, stops: string): number {
  for (let i = from; i < body.length; i++) {
    const escaped = i > from && body[i - 1] === '\\';
    if (body[i] === '\n' || (stops.includes(body[i]!) && !escaped)) return i;
  }
  return body.length;
}

function splitAt(text: string, separator: string): string[] {
  const at = findStop(text, 0, separator);
  return at >= text.length ? [text] : [text.slice(0, at), ...splitAt(text.slice(at + 1), separator)];
}

function unescape(text: string, escapable: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && i + 1 < text.length && escapable.includes(text[i + 1]!)) i++;
    result += text[i];
  }
  return result;
}

function readLine(body: string, start: number, precision: keyof typeof unitsPerMs): Outcome {
  const keyEnd = findStop(body, start, ' ');
  if (body[keyEnd] !== ' ') return undefined;
  const [rawMeasurement = '', ...rawTags] = splitAt(body.slice(start, keyEnd), ',');
  const tags = new Map<string, string>();
  for (const rawTag of rawTags) {
    const pair = splitAt(rawTag, '=').map((part) => unescape(part, ',= '));
    if (pair.length !== 2 || pair.includes('') || tags.has(pair[0]!)) return undefined;
    tags.set(pair[0]!, pair[1]!);
  }
  const measurement = unescape(rawMeasurement, ', ');
  const source = tags.get('source') ?? '';
  tags.delete('source');
  if (measurement === '') return undefined;
  const fields = readFields(body, keyEnd + 1);
  if (fields === undefined) return undefined;
  const time = readTime(body, fields.end, precision);
  if (time === undefined) return undefined;
  const labels = Object.fromEntries([...tags].sort(([a], [b]) => (a < b ? -1 : 1)));
  const points = fields.list.map(({ name, value, message }) => ({
    metric_type: name === 'value' ? measurement : `${measurement}_${name}`,
    source,
    labels,
    timestamp: time.timestamp,
    value,
    data_id: undefined,
    actor: undefined,
    message,
  }));
  return { points, end: time.end };
}

interface Field {
  name: string;
  value: number;
  message: string | undefined;
}

function readFields(body: string, from: number): { list: Field[]; end: number } | undefined {
  let at = from;
  while (body[at] === ' ') at++;
  const list: Field[] = [];
  for (;;) {
    const nameEnd = fieldNameEnd(body, at);
    if (nameEnd === undefined || nameEnd === at) return undefined;
    const name = unescape(body.slice(at, nameEnd), ',= ');
    const read = body[nameEnd + 1] === '"' ? readText(body, nameEnd + 1) : readNumber(body, nameEnd + 1);
    if (read === undefined) return undefined;
    list.push({ name, value: read.value, message: read.message });
    at = read.end;
    if (body[at] !== ',') return { list, end: at };
    at++;
  }
}

function fieldNameEnd(body: string, from: number): number | undefined {
  for (let i = from; i < body.length; i++) {
    if (body[i] === '\n') return undefined;
    if (i > from && body[i - 1] === '\\') continue;
    if (body[i] === '=') return i;
    if (body[i] === ',' || body[i]! <= ' ') return undefined;
  }
  return undefined;
}

type Value = { value: number; message: string | undefined; end: number } | undefined;

function readText(body: string, at: number): Value {
  let message = '';
  for (let i = at + 1; i < body.length; i++) {
    if (body[i] === '"')
      return message.length > limits.messageLength ? undefined : { value: 1, message, end: i + 1 };
    if (body[i] === '\\' && (body[i + 1] === '"' || body[i + 1] === '\\')) i++;
    else if (body[i] === '\\') message += body[i++];
    message += body[i] ?? '';
  }
  return undefined;
}

function readNumber(body: string, at: number): Value {
  let end = at;
  while (end < body.length && body[end]! > ' ' && body[end] !== ',') end++;
  const text = body.slice(at, end);
  const message = undefined;
  if (/^(t|T|true|True|TRUE)$/.test(text)) return { value: 1, message, end };
  if (/^(f|F|false|False|FALSE)$/.test(text)) return { value: 0, message, end };
  if (/^[+-]?\d+i$/.test(text)) {
    const exact = BigInt(text.slice(0, -1).replace('+', ''));
    return exact >= -(2n ** 63n) && exact < 2n ** 63n ? { value: Number(exact), message, end } : undefined;
  }
  if (/^[+-]?\d+u$/.test(text)) {
    const exact = BigInt(text.slice(0, -1).replace('+', ''));
    return exact >= 0n && exact < 2n ** 64n ? { value: Number(exact), message, end } : undefined;
  }
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { value, message, end } : undefined;
}

function readTime(
  body: string,
  from: number,
  precision: keyof typeof unitsPerMs,
): { timestamp: number; end: number } | undefined {
  const rest = /^(?: +(?<time>[^ \r\n\t,]+))?[ \r]*(?=\n|$)/.exec(body.slice(from, endOfLine(body, from)));
  if (rest === null) return undefined;
  const end = from + rest[0].length;
  const text = rest.groups?.['time'];
  if (text === undefined) return { timestamp: receivedAt, end };
  if (!/^-?\d{1,20}$/.test(text)) return undefined;
  const units = BigInt(text);
  const perMs = unitsPerMs[precision];
  const timestamp = Number(units / perMs) + Number(units % perMs) / Number(perMs);
  const inBounds = timestamp >= receivedAt - limits.pastMs && timestamp <= receivedAt + limits.futureMs;
  return inBounds ? { timestamp, end } : undefined;
}
