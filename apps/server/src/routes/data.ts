import type { Engine } from '@nowcast/ports';
import { appError } from '@nowcast/contract';
import { chooseFormat, dataAnswer } from '../http/data-formats.ts';
import {
  dataParameters,
  readDataQuery,
  readWhere,
  updatesParameters,
  whereParameter,
} from '../http/data-query.ts';
import { jsonAnswer, noBody, type Route, route } from '../http/route.ts';
import type { Gateway } from '../ws/gateway.ts';

/** Reading: history, live streams, and what there is to read. */
export function dataRoutes(engine: Engine, gateway: Gateway): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/data',
        access: 'data.read',
        body: noBody,
        summary: 'Read any range of a metric, history and the present in one answer',
        parameters: dataParameters,
        answers: {
          200: 'DataAnswer as JSON, or NDJSON, or CSV; with agg=none the header Link names the next page',
          400: 'A parameter is wrong',
        },
      },
      async (call) => {
        const format = chooseFormat(call.query.get('format'), call.headers.accept);
        const query = readDataQuery(call.query);
        const data = await engine.data(call.actor.tenant_id, query, call.signal);
        const answer = dataAnswer(data, format);
        if (data.cursor === undefined) return answer;
        // Lines have no place for the cursor, so every form has it here too (RFC 8288).
        const next = new URLSearchParams(call.query);
        next.set('cursor', data.cursor);
        return { ...answer, headers: { ...answer.headers, Link: `<?${next.toString()}>; rel="next"` } };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/updates',
        access: 'data.read',
        body: noBody,
        summary: 'The same query as a live stream (Server-Sent Events; a WebSocket when upgraded)',
        parameters: updatesParameters,
        answers: {
          200: 'text/event-stream; see docs/protocol.md. A socket subscribes with the schema Query',
          400: 'A parameter is wrong',
        },
      },
      async (call) => {
        const query = readDataQuery(call.query, updatesParameters);
        // A stream that has begun can only say what is wrong and end, whereupon an EventSource asks again every second;
        // an HTTP error it takes as final. The view stays warm until the stream opens it.
        const { view } = await engine.live.open(call.actor.tenant_id, query);
        engine.live.close(view);
        gateway.assertOpen();
        return {
          status: 200,
          headers: { 'Content-Type': 'text/event-stream', Connection: 'close', 'X-Accel-Buffering': 'no' },
          write: (response) => gateway.stream(call.actor, query, call.client, call.request, response),
        };
      },
    ),
    ...catalogRoutes(engine),
  ];
}

function catalogRoutes(engine: Engine): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/metrics',
        access: 'data.read',
        body: noBody,
        summary: 'List metrics',
        parameters: {
          search: 'Part of the name',
          name: {
            text: 'The whole name, as it is written; several: those that exist. Instead of search and limit',
            repeated: true,
          },
          limit: 'At most so many (200)',
        },
        answers: { 200: '{metrics: MetricInfo[]}', 400: 'A parameter is wrong' },
      },
      async ({ actor, query }) => {
        const names = query.getAll('name');
        if (names.length > 0 && (query.has('search') || query.has('limit'))) {
          throw appError('request.invalid', 'name finds whole names; leave out search and limit');
        }
        const metrics =
          names.length > 0
            ? await engine.metricsNamed(actor.tenant_id, names)
            : await engine.metrics(actor.tenant_id, query.get('search') ?? '', readLimit(query, 200));
        return jsonAnswer(200, { metrics });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/labels',
        access: 'data.read',
        body: noBody,
        summary: 'List labels and their values',
        parameters: {
          metric_type: 'Only labels of this metric',
          where: whereParameter,
          limit: 'Values of a label at most (100)',
        },
        answers: { 200: '{labels: LabelValues[]}' },
      },
      async (call) => {
        const metricType = call.query.get('metric_type') ?? '';
        const where = readWhere(call.query);
        const labels = await engine.labels(
          call.actor.tenant_id,
          metricType,
          where,
          readLimit(call.query, 100),
        );
        return jsonAnswer(200, { labels });
      },
    ),
  ];
}

function readLimit(query: URLSearchParams, usual: number): number {
  const text = query.get('limit');
  if (text === null) return usual;
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= 10_000) return limit;
  throw appError('request.invalid', `limit is "${text}"; write a number from 1 to 10000`);
}
