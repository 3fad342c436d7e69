/** JSON points by `JSON.parse`: what the byte scanner must agree with. */
import { limits } from '@nowcast/contract';
import { type Point, receivedAt } from './decoded.ts';

const members = new Set([
  'metric_type',
  'value',
  'timestamp',
  'source',
  'labels',
  'data_id',
  'actor',
  'message',
]);

/** A syntax tree that keeps what `JSON.parse` loses: members that occur twice. */
export type Member = readonly [name: string, value: unknown];

/** The point the members mean, or undefined when it must be refused. */
export function referencePoint(list: readonly Member[]): Point | undefined {
  const point = new Map(list);
  if (point.size !== list.length || [...point.keys()].some((name) => !members.has(name))) return undefined;
  const metric = point.get('metric_type');
  const value = point.get('value');
  const timestamp = referenceTimestamp(point.get('timestamp'));
  const labels = referenceLabels(point.get('labels'));
  const source = optionalText(point.get('source'), limits.sourceLength);
  const dataId = optionalText(point.get('data_id'), limits.dataIdLength);
  const actor = optionalText(point.get('actor'), limits.actorLength);
  const message = optionalText(point.get('message'), limits.messageLength);
  if (typeof metric !== 'string' || metric === '' || metric.length > limits.metricTypeLength)
    return undefined;
  if (!isText(metric) || typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  if (timestamp === undefined || labels === undefined) return undefined;
  if ([source, dataId, actor, message].includes(undefined)) return undefined;
  return {
    metric_type: metric,
    source: source ?? '',
    labels,
    timestamp,
    // JSON.stringify writes −0 as 0.
    value: value + 0,
    data_id: dataId === '' ? undefined : dataId,
    actor: actor === '' ? undefined : actor,
    message: message === '' ? undefined : message,
  };
}

function isText(text: string): boolean {
  return text.isWellFormed();
}

function optionalText(value: unknown, length: number): string | undefined {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string' || value.length > length || !isText(value)) return undefined;
  return value;
}

function referenceTimestamp(value: unknown): number | undefined {
  if (value === undefined || value === null) return receivedAt;
  const isRfc =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/.test(value);
  const timestamp = typeof value === 'number' ? value : isRfc ? globalThis.Date.parse(value) : Number.NaN;
  return timestamp >= receivedAt - limits.pastMs && timestamp <= receivedAt + limits.futureMs
    ? timestamp
    : undefined;
}

function referenceLabels(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (
    entries.some(([name, text]) => name === '' || !isText(name) || typeof text !== 'string' || !isText(text))
  ) {
    return undefined;
  }
  const kept = entries.filter(([, text]) => text !== '');
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON text of the members, with the white space given between all tokens. */
export function textOfMembers(list: readonly Member[], space: string): string {
  return `{${space}${list
    .map(([name, value]) => `${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}`)
    .join(`${space},${space}`)}${space}}`;
}
