import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Answer } from './route.ts';

/** How long, and for how many bytes, we listen to a sender that has not finished although it has its answer. */
const lingerMs = 1000;
const lingerBytes = 8 * 1024 * 1024;

/** Writes an answer and resolves when there is nothing more to do for the request. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const all = { ...headers, ...answer.headers };
  if (answer.write !== undefined) {
    response.writeHead(answer.status, all);
    if (request.method === 'HEAD') response.end();
    else await answer.write(response);
    return;
  }
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  if (answer.status !== 204 && answer.status !== 304) all['Content-Length'] = String(body?.length ?? 0);
  if (request.complete) {
    response.writeHead(answer.status, all);
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(answer.status, { ...all, Connection: 'close' });
  if (body !== undefined && request.method !== 'HEAD') response.write(body);
  else response.flushHeaders();
  await linger(request);
  response.end();
}

/**
 * Closing while the peer still sends makes its kernel throw our answer away (a reset discards what was not read).
 * So the answer goes out whole, and the rest of the request is read and forgotten for a moment.
 */
async function linger(request: IncomingMessage): Promise<void> {
  let bytes = 0;
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), lingerMs);
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) enough.abort();
  });
  try {
    await once(request, 'end', { signal: enough.signal });
  } catch {
    // Aborted, or the peer is gone: either way there is nobody to wait for.
  } finally {
    clearTimeout(timer);
  }
}
