import type { ReferencePoint } from '@nowcast/aggregate/testing';
import type { IngestAnswer, IngestFormat } from '@nowcast/ports';
import type { EngineBench } from './engine-bench.ts';

/** How a handful of points is sent. */
export interface Manner {
  format: IngestFormat;
  /** Give every point a `data_id` (not in line protocol). */
  ids: boolean;
  /** Send under an `Idempotency-Key`. */
  keyed: boolean;
  /** Send the very same request again at once. */
  twice: boolean;
  /** Put something that is no number on this line (NDJSON, line protocol). */
  badLine: number | undefined;
}

interface Request {
  tenant: string;
  format: IngestFormat;
  text: string;
  key: string | undefined;
}

/** Values no number is; none of them may be taken, and none may cost a neighbour. */
export const notNumbers = {
  ndjson: ['NaN', '1e999', '-1e999', 'Infinity', '"12"', 'null'],
  'line-protocol': ['NaN', 'inf', '-inf', '1e999', 'Infinity'],
};

/**
 * A sender of one tenant that writes real request bodies, keeps the list of points that must count, each once, and
 * repeats requests as senders do that missed an answer.
 */
export class Sender {
  readonly tenant: string;
  /** What the reference is asked about. */
  readonly points: ReferencePoint[] = [];
  readonly #bench: EngineBench;
  /** Whatever was sent with ids or under a key: harmless at any later time. */
  readonly #repeatable: Request[] = [];
  readonly #seen = new Set<string>();
  #sent = 0;

  constructor(bench: EngineBench, tenant: string) {
    this.#bench = bench;
    this.tenant = tenant;
  }

  /** Sends the points; returns what was wrong with the answers. */
  async send(points: readonly ReferencePoint[], manner: Manner): Promise<string[]> {
    const own = points.map((point) => ({
      ...point,
      series: { ...point.series, tenant: this.tenant },
    }));
    if (manner.format !== 'line-protocol') return this.#sendJson(own, manner);
    // Line protocol takes an equal point for a retry and carries no actor: what is not new there goes as JSON.
    const fresh = own.filter((point) => {
      const isNew = !this.#seen.has(identityOf(point)) && point.actor === undefined;
      if (isNew) this.#seen.add(identityOf(point));
      return isNew;
    });
    const rest = own.filter((point) => !fresh.includes(point));
    return [
      ...(await this.#sendLines(fresh, manner)),
      ...(await this.#sendJson(rest, { ...manner, format: 'ndjson', badLine: undefined })),
    ];
  }

  /** Repeats an old request. */
  async repeat(which: number): Promise<string[]> {
    const request = this.#repeatable[which % Math.max(1, this.#repeatable.length)];
    if (request === undefined) return [];
    const { status, body } = await this.#post(request);
    return status < 300 || status === 422 ? [] : [`a repeated request: ${status} ${body}`];
  }

  #sendJson(points: readonly ReferencePoint[], manner: Manner): Promise<string[]> {
    const members = points.map((point) => {
      this.#sent += 1;
      return jsonOf(point, manner.ids ? `id-${this.#sent}` : undefined);
    });
    const { format } = manner;
    if (format === 'json') return this.#deliver(points, `[${members.join(',')}]`, undefined, manner);
    const bad = badOf(members.length, notNumbers.ndjson, manner);
    if (bad !== undefined) members.splice(bad.at, 0, `{"metric_type":"m","source":"a","value":${bad.value}}`);
    return this.#deliver(points, members.join('\n'), bad?.at, { ...manner, format: 'ndjson' });
  }

  #sendLines(points: readonly ReferencePoint[], manner: Manner): Promise<string[]> {
    const lines = points.map(lineOf);
    const bad = badOf(lines.length, notNumbers['line-protocol'], manner);
    if (bad !== undefined) lines.splice(bad.at, 0, `m,source=a value=${bad.value}`);
    return this.#deliver(points, lines.join('\n'), bad?.at, { ...manner, ids: false });
  }

  async #deliver(
    points: readonly ReferencePoint[],
    text: string,
    badLine: number | undefined,
    manner: Manner,
  ): Promise<string[]> {
    if (points.length === 0 && badLine === undefined) return [];
    const request: Request = {
      tenant: this.tenant,
      format: manner.format,
      text,
      key: manner.keyed ? `key-${this.#sent}-${this.#repeatable.length}` : undefined,
    };
    for (const point of points) this.#seen.add(identityOf(point));
    this.points.push(...points);
    if (manner.keyed || manner.ids) this.#repeatable.push(request);
    const isSafe = manner.keyed || manner.ids || manner.format === 'line-protocol';
    const answers = [await this.#post(request)];
    if (manner.twice && isSafe) answers.push(await this.#post(request));
    return answers.flatMap((answer) => problemsOf(answer, points.length, badLine));
  }

  #post({ tenant, format, text, key }: Request): Promise<IngestAnswer> {
    // Derived ids of records count receipt times, and break ties of those by value.
    this.#bench.clock.advance(1);
    return this.#bench.ingest(text, { tenant, format, idempotencyKey: key });
  }
}

function problemsOf(answer: IngestAnswer, accepted: number, badLine: number | undefined): string[] {
  const { status, body } = answer;
  if (badLine === undefined) return status < 300 ? [] : [`${accepted} good points: ${status} ${body}`];
  const report = JSON.parse(body) as { accepted: number; rejected?: { index: number }[] };
  const isNamed = report.rejected?.length === 1 && report.rejected[0]!.index === badLine;
  return status === 422 && report.accepted === accepted && isNamed
    ? []
    : [`${accepted} good points and a bad line ${badLine}: ${status} ${body}`];
}

function badOf(
  lines: number,
  values: readonly string[],
  { badLine }: Manner,
): { at: number; value: string } | undefined {
  return badLine === undefined
    ? undefined
    : { at: badLine % (lines + 1), value: values[badLine % values.length]! };
}

function identityOf({ series, timestamp, value }: ReferencePoint): string {
  return JSON.stringify([series.source, series.labels, timestamp, numberText(value)]);
}

/** `JSON.stringify` would lose the sign of −0. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function jsonOf({ series, timestamp, value, actor }: ReferencePoint, dataId: string | undefined): string {
  const members = [
    `"metric_type":${JSON.stringify(series.metric_type)}`,
    `"source":${JSON.stringify(series.source)}`,
    `"labels":${JSON.stringify(Object.fromEntries(series.labels))}`,
    `"timestamp":${timestamp}`,
    `"value":${numberText(value)}`,
    ...(actor === undefined ? [] : [`"actor":${JSON.stringify(actor)}`]),
    ...(dataId === undefined ? [] : [`"data_id":${JSON.stringify(dataId)}`]),
  ];
  return `{${members.join(',')}}`;
}

function lineOf({ series, timestamp, value }: ReferencePoint): string {
  const tags = [['source', series.source], ...series.labels].map(([name, text]) => `,${name}=${text}`);
  return `${series.metric_type}${tags.join('')} value=${numberText(value)} ${timestamp}`;
}
