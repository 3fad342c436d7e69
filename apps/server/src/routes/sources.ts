import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccessService } from '@nowcast/access';
import { type Actor, type ApiKey, appError, type SourceStatus } from '@nowcast/contract';
import { boardFromMetrics, type DashboardService } from '@nowcast/dashboards';
import type { Engine } from '@nowcast/ports';
import { type Call, jsonAnswer, noBody, type Route, route } from '../http/route.ts';

/** A status that changed is pushed at most this often. */
const pushEveryMs = 250;
const heartbeatMs = 15_000;

export interface SourceParts {
  engine: Engine;
  access: AccessService;
  boards: DashboardService;
  /** Fires when the server stops: streams end then. */
  stopping: AbortSignal;
}

/** What each key has sent so far: the Sources page, and its "Waiting for first event". */
export function sourceRoutes(parts: SourceParts): Route[] {
  const { engine, access } = parts;
  return [
    generatedBoard(parts),
    route(
      {
        method: 'GET',
        path: '/api/v1/sources',
        access: 'key.read',
        body: noBody,
        summary: 'What each API key has sent',
        answers: { 200: '{sources: SourceStatus[]}' },
      },
      async (call) => {
        const { actor } = call;
        const keys = await access.keys.list(actor);
        const sources = await Promise.all(
          keys.map((key) => engine.sourceStatus(actor.tenant_id, key.key_id)),
        );
        return jsonAnswer(200, { sources });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/sources/:key_id',
        access: 'key.read',
        body: noBody,
        summary: 'What one API key has sent',
        answers: { 200: 'SourceStatus' },
      },
      async (call) =>
        jsonAnswer(200, await sourceStatus(engine, access, call.actor, call.params['key_id'] ?? '')),
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/sources/:key_id/events',
        access: 'key.read',
        body: noBody,
        summary: 'The same, pushed at every change',
        answers: { 200: 'text/event-stream of "status" events with SourceStatus' },
      },
      async (call) => {
        const keyId = call.params['key_id'] ?? '';
        await requireKey(access, call.actor, keyId);
        return {
          status: 200,
          headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
          write: (response) => followSource(parts, call, keyId, response),
        };
      },
    ),
  ];
}

/** A board of everything the key has sent. */
function generatedBoard({ engine, access, boards }: SourceParts): Route {
  return route(
    {
      method: 'POST',
      path: '/api/v1/sources/:key_id/board',
      access: 'board.write',
      body: noBody,
      summary: 'Make a board of the metrics an API key has sent',
      answers: { 201: 'Board', 409: 'Nothing has arrived yet' },
    },
    async (call) => {
      const { actor } = call;
      const key = await requireKey(access, actor, call.params['key_id'] ?? '');
      const status = await engine.sourceStatus(actor.tenant_id, key.key_id);
      const metrics = await engine.metricsNamed(actor.tenant_id, status.metrics.slice(0, 24));
      if (metrics.length === 0) {
        throw appError('request.conflict', 'nothing has arrived with this key yet; send a point first');
      }
      return jsonAnswer(201, await boards.create(actor, boardFromMetrics(metrics, { title: key.name })));
    },
  );
}

async function sourceStatus(
  engine: Engine,
  access: AccessService,
  actor: Actor,
  keyId: string,
): Promise<SourceStatus> {
  await requireKey(access, actor, keyId);
  return engine.sourceStatus(actor.tenant_id, keyId);
}

/** Throws `request.not_found` for keys of others. */
async function requireKey(access: AccessService, actor: Actor, keyId: string): Promise<ApiKey> {
  const key = (await access.keys.list(actor)).find((candidate) => candidate.key_id === keyId);
  if (key === undefined) throw appError('request.not_found', 'there is no such key');
  return key;
}

/**
 * Pushes what a key has sent until the key is deleted or whoever asked may not see it any more (C2). The right is
 * looked up at every push: that is a map look-up, and it sees an end of any kind, revoked or expired.
 */
async function followSource(
  { engine, access, stopping }: SourceParts,
  { actor, signal, stillAllowed }: Call,
  keyId: string,
  response: ServerResponse,
): Promise<void> {
  const deleted = new AbortController();
  const stop = access.onRevoked(({ kind, id }) => {
    if (kind === 'key' && id === keyId) deleted.abort();
  });
  // Looked up once more: what was deleted before somebody listened would never be heard of.
  let known = false;
  const read = async (): Promise<SourceStatus | undefined> => {
    if (!(await stillAllowed())) return undefined;
    if (!known) await requireKey(access, actor, keyId);
    known = true;
    return engine.sourceStatus(actor.tenant_id, keyId);
  };
  try {
    await pushStatus(response, read, AbortSignal.any([signal, deleted.signal, stopping]));
  } finally {
    stop();
  }
}

/** Until the signal fires or there is nothing to read. */
async function pushStatus(
  response: ServerResponse,
  read: () => Promise<SourceStatus | undefined>,
  signal: AbortSignal,
): Promise<void> {
  let sent = '';
  let sentAt = 0;
  try {
    while (!signal.aborted) {
      const status = await read();
      if (status === undefined || signal.aborted) break;
      const text = JSON.stringify(status);
      const now = performance.now();
      if (text !== sent || now - sentAt > heartbeatMs) {
        const free = response.write(text === sent ? ': heartbeat\n\n' : `event: status\ndata: ${text}\n\n`);
        sent = text;
        sentAt = now;
        if (!free) await once(response, 'drain', { signal });
      }
      await sleep(pushEveryMs, undefined, { signal });
    }
  } catch {
    // The peer is gone, the right is gone or the server stops: the stream has nothing more to say.
  } finally {
    response.end();
  }
}
