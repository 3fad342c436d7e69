import { appError, limits } from '@nowcast/contract';
import type { Engine, IngestFormat, IngestRequest } from '@nowcast/ports';
import {
  type Answer,
  type Call,
  jsonAnswer,
  noBody,
  type Route,
  route,
  smallBodyBytes,
} from '../http/route.ts';
import { keyIdOf } from './actors.ts';

const pointsBody = { kind: 'bytes', capBytes: limits.bodyBytes } as const;

/** Sending points: our own JSON, and Influx line protocol as Telegraf and Influx's clients send it. */
export function ingestRoutes(engine: Engine, version: string): Route[] {
  return [
    route(
      {
        method: 'POST',
        path: '/api/v1/ingest',
        access: 'data.write',
        body: pointsBody,
        summary: 'Send points: one object, an array, or NDJSON',
        answers: {
          200: '{accepted}: durable',
          413: 'Too large; send fewer points at once',
          422: '{accepted, rejected: [{index, code, message}]}: the others are kept',
          429: 'Busy; try again after Retry-After seconds',
          507: 'The disk is full; nothing was kept',
        },
      },
      (call) => ingest(engine, call, jsonFormat(call.headers['content-type']), 'ms'),
    ),
    lineProtocol(engine, '/write'),
    lineProtocol(engine, '/api/v2/write'),
    ...influxProbes(version),
    createDatabase(),
  ];
}

function lineProtocol(engine: Engine, path: string): Route {
  return route(
    {
      method: 'POST',
      path,
      access: 'data.write',
      body: pointsBody,
      influxCredentials: true,
      summary: 'Send points as Influx line protocol',
      parameters: { precision: 'Unit of timestamps: ns (default), us, ms, s, m, h' },
      answers: { 204: 'Durable', 422: '{accepted, rejected}: the other lines are kept', 429: 'Busy' },
    },
    (call) => ingest(engine, call, 'line-protocol', readPrecision(call.query.get('precision'))),
  );
}

async function ingest(
  engine: Engine,
  call: Call<Uint8Array<ArrayBuffer>>,
  format: IngestFormat,
  precision: IngestRequest['precision'],
): Promise<Answer> {
  const answer = await engine.ingest({
    tenant: call.actor.tenant_id,
    keyId: keyIdOf(call.actor),
    format,
    precision,
    encoding: readEncoding(call.headers['content-encoding']),
    idempotencyKey: readIdempotencyKey(call.headers['idempotency-key']),
    body: call.body,
  });
  const headers: Record<string, string> = {};
  if (answer.body !== '') headers['Content-Type'] = 'application/json; charset=utf-8';
  if (answer.retryAfterSeconds !== undefined) headers['Retry-After'] = String(answer.retryAfterSeconds);
  return { status: answer.status, headers, ...(answer.body === '' ? {} : { body: answer.body }) };
}

/** One point or an array unless the sender says "a JSON object a line": what `curl -d` says by itself is not believed. */
function jsonFormat(contentType: string | undefined): IngestFormat {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines|jsonlines)$/.test(type) ? 'ndjson' : 'json';
}

/** Brotli is not taken: a few bytes of it can stand for gigabytes (C15). */
function readEncoding(header: string | undefined): IngestRequest['encoding'] {
  const encoding = header?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip';
  if (encoding === 'zstd' || encoding === 'deflate') return encoding;
  throw appError(
    'request.unsupported_media_type',
    `Content-Encoding "${encoding}" is not taken here; use gzip, zstd, deflate or none`,
  );
}

function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  const key = Array.isArray(header) ? header.join(',') : header;
  if (key === undefined) return undefined;
  if (key.length > 0 && key.length <= limits.idempotencyKeyLength) return key;
  throw appError(
    'request.invalid',
    `Idempotency-Key must have 1 to ${limits.idempotencyKeyLength} characters`,
  );
}

const precisions: ReadonlyMap<string, IngestRequest['precision']> = new Map([
  ['ns', 'ns'],
  ['n', 'ns'],
  ['us', 'us'],
  ['u', 'us'],
  ['ms', 'ms'],
  ['s', 's'],
  ['m', 'm'],
  ['h', 'h'],
]);

function readPrecision(text: string | null): IngestRequest['precision'] {
  const precision = precisions.get(text ?? 'ns');
  if (precision !== undefined) return precision;
  throw appError('request.invalid', `precision is "${text}"; write ns, us, ms, s, m or h`);
}

/**
 * Telegraf's version 1 output says CREATE DATABASE when it starts, and complains in its log when nobody understands.
 * Here an organisation is the database and is there already; no other query of that language is answered.
 */
function createDatabase(): Route {
  return route(
    {
      method: 'POST',
      path: '/query',
      access: 'data.write',
      body: { kind: 'bytes', capBytes: smallBodyBytes },
      influxCredentials: true,
    },
    (call) => {
      const form = new URLSearchParams(Buffer.from(call.body).toString('utf8'));
      const query = call.query.get('q') ?? form.get('q') ?? '';
      if (/^\s*create\s+database\b/i.test(query)) return jsonAnswer(200, { results: [{ statement_id: 0 }] });
      throw appError('query.invalid', 'InfluxQL is not spoken here; read with GET /data');
    },
  );
}

/** What Influx's clients ask before they write. */
function influxProbes(version: string): Route[] {
  const headers = { 'X-Influxdb-Build': 'Nowcast', 'X-Influxdb-Version': version };
  return [
    route({ method: 'GET', path: '/ping', access: 'public', body: noBody }, () => ({ status: 204, headers })),
    route({ method: 'GET', path: '/health', access: 'public', body: noBody }, () => ({
      status: 200,
      headers: { ...headers, 'Content-Type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        name: 'nowcast',
        message: 'ready for writes',
        status: 'pass',
        checks: [],
        version,
      }),
    })),
  ];
}
