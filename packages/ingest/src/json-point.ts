/**
 * One JSON point, read member by member: the way taken when no template fits. Finds where each member is, which parts
 * of the text are cut out of its template, and, for a series never seen, its definition.
 */
import { type SeriesDefinition, limits } from '@nowcast/contract';
import { hashBytes, sameBytes } from './byte-table.ts';
import { definitionProblem, sortLabels } from './decode-context.ts';
import type { JsonScanner } from './json-scanner.ts';
import { cut } from './json-templates.ts';

const quote = 0x22;
/** Room a template needs beside the point's own text: each cut is replaced by one byte and is at least one long. */
const slack = 8;
/** value, timestamp, data_id, actor and message, each once. */
const maxCuts = 5;
const memberNames = [
  'metric_type',
  'value',
  'timestamp',
  'source',
  'labels',
  'data_id',
  'actor',
  'message',
] as const;
type MemberName = (typeof memberNames)[number];
const nameViews = memberNames.map((name) => new DataView(new TextEncoder().encode(name).buffer));
/** Indexes of the names of each length. */
const membersByLength: number[][] = [];
for (const [member, { byteLength }] of nameViews.entries()) (membersByLength[byteLength] ??= []).push(member);
const textCuts = { data_id: cut.dataId, actor: cut.actor, message: cut.message } as const;

/** Places of a member's value; `from` is −1 when it is absent. */
interface Span {
  from: number;
  to: number;
  escaped: boolean;
}

export class JsonPoint {
  readonly #scanner: JsonScanner;
  readonly #metric: Span = absent();
  readonly #source: Span = absent();
  readonly #labels: Span = absent();
  /** Cuts in the order of the text. */
  cuts = 0;
  readonly cutKinds = new Int32Array(maxCuts);
  readonly cutFrom = new Int32Array(maxCuts);
  readonly cutTo = new Int32Array(maxCuts);
  /** 1 where the text of the cut has escapes. */
  readonly cutEscaped = new Int32Array(maxCuts);
  #seen = 0;
  /** What is wrong with the point though its syntax is sound, or empty. */
  problem = '';
  /** The template's text, its length and hash. */
  template: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  templateView = new DataView(this.template.buffer);
  templateLength = 0;
  templateHash = 0;

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner;
  }

  /** Reads the object at `from`; the place after it, or −1 for broken syntax. Afterwards look at `problem`. */
  read(from: number, depth: number): number {
    this.#reset();
    const scanner = this.#scanner;
    let at = scanner.skipSpace(from + 1);
    if (at < scanner.end && scanner.bytes[at] === 0x7d) at++;
    else {
      do {
        at = this.#member(at, depth);
        if (at < 0) return -1;
        at = scanner.next(at, 0x7d);
        if (at < 0) return -1;
      } while (!scanner.closed);
    }
    if (this.problem === '' && (this.#seen & 1) === 0) this.#refuse('the metric_type is missing');
    if (this.problem === '' && (this.#seen & 2) === 0) this.#refuse('the value is missing');
    if (this.problem === '') this.#buildTemplate(from, at);
    return at;
  }

  #reset(): void {
    this.#metric.from = -1;
    this.#source.from = -1;
    this.#labels.from = -1;
    this.cuts = 0;
    this.#seen = 0;
    this.problem = '';
  }

  /** The first problem is the one told. */
  #refuse(problem: string): void {
    if (this.problem === '') this.problem = problem;
  }

  #member(from: number, depth: number): number {
    const scanner = this.#scanner;
    const valueAt = scanner.memberValue(from);
    if (valueAt < 0) return -1;
    const member = this.#identify(from, scanner.nameEnd, scanner.nameEscaped);
    const end = scanner.skipValue(valueAt, depth);
    if (end < 0 || member < 0) return end;
    const bit = 1 << member;
    if ((this.#seen & bit) !== 0) {
      this.#refuse(`the member "${memberNames[member]}" occurs twice`);
      return end;
    }
    this.#seen |= bit;
    this.#place(memberNames[member]!, valueAt, end, scanner.escaped);
    return end;
  }

  #identify(from: number, to: number, escaped: boolean): number {
    if (!escaped) {
      const length = to - from - 2;
      for (const member of membersByLength[length] ?? []) {
        if (sameBytes(this.#scanner.view, from + 1, nameViews[member]!, 0, length)) return member;
      }
    }
    const text = this.#scanner.text(from, to, escaped);
    const member = (memberNames as readonly (string | undefined)[]).indexOf(text);
    if (member < 0) {
      this.#refuse(
        `a point has no member "${(text ?? '?').slice(0, 60)}"; use ${memberNames.join(', ')}, and labels for everything else`,
      );
    }
    return member;
  }

  /** Notes where the value of a member is and refuses values of the wrong type. */
  #place(name: MemberName, from: number, to: number, escaped: boolean): void {
    const first = this.#scanner.bytes[from]!;
    const isNumber = first === 0x2d || (first ^ 48) < 10;
    switch (name) {
      case 'value':
        if (isNumber) return this.#cut(cut.value, from, to, false);
        return this.#refuse('the value must be a finite number');
      case 'timestamp':
        if (isNumber) return this.#cut(cut.timestamp, from, to, false);
        if (first === quote) return this.#cut(cut.timestampText, from, to, escaped);
        break;
      case 'metric_type':
        if (first === quote) return setSpan(this.#metric, from, to, escaped);
        return this.#refuse('the metric_type must be a string');
      case 'source':
        if (first === quote) return setSpan(this.#source, from, to, escaped);
        break;
      case 'labels':
        if (first === 0x7b) return setSpan(this.#labels, from, to, false);
        break;
      case 'data_id':
      case 'actor':
      case 'message':
        if (first === quote) return this.#cut(textCuts[name], from, to, escaped);
        break;
    }
    // null means absent, for the optional ones.
    if (first === 0x6e) return undefined;
    return this.#refuse(wrongType[name]);
  }

  #cut(kind: number, from: number, to: number, escaped: boolean): void {
    const place = this.cuts++;
    this.cutKinds[place] = kind;
    this.cutFrom[place] = from;
    this.cutTo[place] = to;
    this.cutEscaped[place] = escaped ? 1 : 0;
  }

  #buildTemplate(from: number, to: number): void {
    const view = this.#scanner.view;
    if (to - from + slack > this.template.length) this.#growTemplate(to - from + slack);
    const template = this.templateView;
    let length = 0;
    let at = from;
    for (let i = 0; i < this.cuts; i++) {
      const stop = this.cutFrom[i]!;
      copyBytes(view, at, stop, template, length);
      length += stop - at;
      template.setUint8(length++, this.cutKinds[i]!);
      at = this.cutTo[i]!;
    }
    copyBytes(view, at, to, template, length);
    length += to - at;
    this.templateLength = length;
    this.templateHash = hashBytes(template, 0, length, 0);
  }

  #growTemplate(length: number): void {
    this.template = new Uint8Array(length * 2);
    this.templateView = new DataView(this.template.buffer);
  }

  /** The series of the point, or what is wrong with it. */
  definition(tenant: string): SeriesDefinition | string {
    const scanner = this.#scanner;
    const metric = scanner.text(this.#metric.from, this.#metric.to, this.#metric.escaped);
    if (metric === undefined) return 'the metric_type is not valid Unicode';
    const source =
      this.#source.from < 0 ? '' : scanner.text(this.#source.from, this.#source.to, this.#source.escaped);
    if (source === undefined) return 'the source is not valid Unicode';
    const labels = this.#labels.from < 0 ? [] : this.#readLabels();
    if (typeof labels === 'string') return labels;
    const definition = { tenant, metric_type: metric, source, labels };
    return definitionProblem(definition) ?? definition;
  }

  /** Label pairs, sorted. An empty value means the label is absent. */
  #readLabels(): [string, string][] | string {
    const scanner = this.#scanner;
    const labels: [string, string][] = [];
    let at = scanner.skipSpace(this.#labels.from + 1);
    if (scanner.bytes[at] === 0x7d) return labels;
    do {
      const nameAt = at;
      at = scanner.memberValue(at);
      const name = scanner.text(nameAt, scanner.nameEnd, scanner.nameEscaped);
      if (name === undefined) return 'a label name is not valid Unicode';
      if (name === '') return 'a label name is empty';
      if (scanner.bytes[at] !== quote) return `the value of label "${name.slice(0, 60)}" must be a string`;
      const end = scanner.skipString(at);
      const value = scanner.text(at, end, scanner.escaped);
      if (value === undefined) return `the value of label "${name.slice(0, 60)}" is not valid Unicode`;
      labels.push([name, value]);
      at = scanner.next(end, 0x7d);
    } while (!scanner.closed);
    const twice = sortLabels(labels);
    if (twice !== undefined) return `the label "${twice.slice(0, 60)}" occurs twice`;
    return labels.filter(([, value]) => value !== '');
  }
}

const wrongType: Record<MemberName, string> = {
  metric_type: 'the metric_type must be a string',
  value: 'the value must be a finite number',
  timestamp: 'the timestamp must be a number of milliseconds or an RFC 3339 string',
  source: 'the source must be a string',
  labels: 'the labels must be an object of strings',
  data_id: 'the data_id must be a string',
  actor: 'the actor must be a string',
  message: 'the message must be a string',
};

/** Longest text of each optional column. */
export const textLimits = new Map<number, { name: string; length: number }>([
  [cut.dataId, { name: 'data_id', length: limits.dataIdLength }],
  [cut.actor, { name: 'actor', length: limits.actorLength }],
  [cut.message, { name: 'message', length: limits.messageLength }],
]);

/** Copies `[from, to)` of one view to `at` of another, four bytes at a time. */
function copyBytes(source: DataView, from: number, to: number, target: DataView, at: number): void {
  const shift = at - from;
  let i = from;
  for (; i + 4 <= to; i += 4) target.setInt32(i + shift, source.getInt32(i, true), true);
  for (; i < to; i++) target.setUint8(i + shift, source.getUint8(i));
}

function absent(): Span {
  return { from: -1, to: -1, escaped: false };
}

function setSpan(span: Span, from: number, to: number, escaped: boolean): void {
  span.from = from;
  span.to = to;
  span.escaped = escaped;
}
