import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `cut`: the connection ends without an answer. */
export type ScriptedAnswer = { status: number; body: unknown; headers?: Record<string, string> } | 'cut';

/** A server that gives these answers in turn, to any request, and then 500; `asked` is what it heard. */
export async function startScriptedApi(answers: readonly ScriptedAnswer[]): Promise<{
  url: URL;
  asked: string[];
  stop: () => void;
}> {
  const asked: string[] = [];
  const give = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await request.toArray()).join('');
    const answer = answers[asked.length] ?? { status: 500, body: {} };
    asked.push(`${request.method} ${request.url} ${String(request.headers['idempotency-key'])} ${body}`);
    if (answer === 'cut') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  };
  const server = createServer((request, response) => void give(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
