import type { ServerResponse } from 'node:http';
import { appError, csvRow, type DataAnswer, labelNames, labelOf, type PointRecord } from '@nowcast/contract';
import { drained } from './drained.ts';
import type { Answer } from './route.ts';

/** Forms in which `GET /data` answers. */
const formats = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
} as const;
export type DataFormat = keyof typeof formats;

const accepted: ReadonlyMap<string, DataFormat> = new Map([
  ['*/*', 'json'],
  ['application/*', 'json'],
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['text/csv', 'csv'],
  ['text/*', 'csv'],
]);

/** By `format`, else by `Accept` in order of its weights. Throws `request.not_acceptable`. */
export function chooseFormat(format: string | null, accept: string | undefined): DataFormat {
  if (format !== null) {
    if (Object.hasOwn(formats, format)) return format as DataFormat;
    throw appError('request.not_acceptable', `format is "${format}"; write json, ndjson or csv`);
  }
  const wishes = (accept ?? '*/*')
    .split(',')
    .map((wish) => {
      const [type = '', ...parameters] = wish.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { type } of wishes) {
    const found = accepted.get(type);
    if (found !== undefined) return found;
  }
  throw appError(
    'request.not_acceptable',
    'data comes as application/json, application/x-ndjson or text/csv',
  );
}

export function dataAnswer(data: DataAnswer, format: DataFormat): Answer {
  const parts = { json: jsonParts, ndjson: ndjsonParts, csv: csvParts }[format];
  return {
    status: 200,
    headers: {
      'Content-Type': formats[format],
      Vary: 'Accept',
      ...(format === 'csv'
        ? { 'Content-Disposition': `attachment; filename="${fileName(data.metric_type)}.csv"` }
        : {}),
    },
    write: (response) => writeParts(response, parts(data)),
  };
}

/** Only what every file system and header takes. */
function fileName(metricType: string): string {
  return metricType.replace(/[^\w.-]+/g, '_').slice(0, 80);
}

/** Writes in pieces of about 64 KB and waits whenever the peer is slower than we are. */
async function writeParts(response: ServerResponse, parts: Iterable<string>): Promise<void> {
  let pending = '';
  for (const part of parts) {
    pending += part;
    if (pending.length < 64 * 1024) continue;
    if (!response.write(pending)) await drained(response);
    if (response.destroyed) return;
    pending = '';
  }
  response.end(pending);
}

function* jsonParts(data: DataAnswer): Iterable<string> {
  const { series, points, ...head } = data;
  yield `${JSON.stringify(head).slice(0, -1)},"series":[`;
  for (const [i, line] of series.entries()) yield `${i === 0 ? '' : ','}${JSON.stringify(line)}`;
  yield ']';
  if (points !== undefined) {
    yield ',"points":[';
    for (const [i, point] of points.entries()) yield `${i === 0 ? '' : ','}${JSON.stringify(point)}`;
    yield ']';
  }
  yield '}';
}

/** One object a point record, or one a bucket of a series. */
function* ndjsonParts(data: DataAnswer): Iterable<string> {
  if (data.points !== undefined) {
    for (const point of data.points) yield `${JSON.stringify(point)}\n`;
    return;
  }
  for (const { labels, timestamp, value } of data.series) {
    const head = `{"metric_type":${JSON.stringify(data.metric_type)},"labels":${JSON.stringify(labels)}`;
    for (let i = 0; i < timestamp.length; i++) {
      yield `${head},"timestamp":${timestamp[i]},"value":${JSON.stringify(value[i])}}\n`;
    }
  }
}

function* csvParts(data: DataAnswer): Iterable<string> {
  if (data.points !== undefined) {
    yield* pointRows(data.points);
    return;
  }
  const names = labelNames(data.series);
  yield csvRow(['timestamp', ...names, 'value']);
  for (const { labels, timestamp, value } of data.series) {
    const cells = names.map((name) => labelOf(labels, name));
    for (let i = 0; i < timestamp.length; i++)
      yield csvRow([timestamp[i] ?? null, ...cells, value[i] ?? null]);
  }
}

function* pointRows(points: readonly PointRecord[]): Iterable<string> {
  const names = labelNames(points);
  const fields = [
    'timestamp',
    'metric_type',
    'source',
    'value',
    'data_id',
    'actor',
    'message',
    'received_at',
  ] as const;
  yield csvRow([...fields, ...names.map((name) => `label.${name}`)]);
  for (const point of points) {
    const own = fields.map((field) => point[field] ?? '');
    yield csvRow([...own, ...names.map((name) => labelOf(point.labels, name))]);
  }
}
