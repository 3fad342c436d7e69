import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receiver {
  url: string;
  /** Resolves with the time of arrival (`performance.now()`) of the first message whose text holds this. */
  arrival(text: string): Promise<number>;
  close(): void;
}

/** What alerts are sent to: looks when each arrives. */
export async function startReceiver(): Promise<Receiver> {
  const waiting = new Map<string, (at: number) => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const at = performance.now();
      response.end();
      const body = Buffer.concat(chunks).toString();
      for (const [text, resolve] of waiting) {
        if (!body.includes(text)) continue;
        waiting.delete(text);
        resolve(at);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    arrival: (text) => new Promise((resolve) => waiting.set(text, resolve)),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
