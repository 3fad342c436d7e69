import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface ReceiverOptions {
  /** How it answers; 200 without a body by default. */
  answer?: (response: ServerResponse, request: Received) => void;
  host?: string;
  port?: number;
  tls?: { cert: string; key: string };
}

/** Somebody's webhook or push service: a real server on a loopback address that keeps what it was sent. */
export class Receiver {
  readonly received: Received[] = [];
  answer: NonNullable<ReceiverOptions['answer']>;
  /** TCP connections, also those that never sent a request. */
  connections = 0;
  readonly #server: ReturnType<typeof createServer>;
  readonly #secure: boolean;

  private constructor(options: ReceiverOptions) {
    this.answer = options.answer ?? ((response) => response.end());
    this.#secure = options.tls !== undefined;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#take(request, response);
    };
    this.#server =
      options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
    this.#server.on('connection', () => this.connections++);
  }

  static async start(options: ReceiverOptions = {}): Promise<Receiver> {
    const receiver = new Receiver(options);
    await new Promise<void>((resolve, reject) => {
      receiver.#server.once('error', reject);
      receiver.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
    });
    return receiver;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    this.received.push(received);
    this.answer(response, received);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Without a slash at the end. */
  url(host = '127.0.0.1'): string {
    return `${this.#secure ? 'https' : 'http'}://${host}:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
