import type { DownMessage } from '@nowcast/contract';
import { until } from './start-server.ts';

/** A WebSocket client that remembers what it heard; it acknowledges only when told to. */
export class LivePeer {
  readonly messages: DownMessage[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, acknowledges: boolean) {
    this.#socket = socket;
    socket.addEventListener('message', (event) => {
      const message = JSON.parse(String(event.data)) as DownMessage;
      this.messages.push(message);
      if (acknowledges && 'ack' in message) this.send({ type: 'ack', n: message.ack });
    });
    socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason };
    });
  }

  static async open(
    url: string,
    options: { headers?: Record<string, string>; acknowledges?: boolean; protocol?: string } = {},
  ): Promise<LivePeer> {
    const init = { protocols: [options.protocol ?? 'nowcast.v1.json'], headers: options.headers ?? {} };
    const socket = new WebSocket(`${url.replace('http', 'ws')}/updates`, init);
    const peer = new LivePeer(socket, options.acknowledges ?? true);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the upgrade was refused')));
    });
    return peer;
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id: string, metric: string, more: object = {}): void {
    this.send({ type: 'subscribe', id, query: { metric_type: metric, window: '1m', step: '1s' }, ...more });
  }

  of<T extends DownMessage['type']>(type: T, id?: string): Extract<DownMessage, { type: T }>[] {
    return this.messages.filter(
      (message): message is Extract<DownMessage, { type: T }> =>
        message.type === type && (id === undefined || ('id' in message && message.id === id)),
    );
  }

  async hears(type: DownMessage['type'], count = 1): Promise<void> {
    await until(() => this.of(type).length >= count);
  }

  async ends(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed !== undefined);
    return this.closed!;
  }

  close(): void {
    this.#socket.close();
  }
}
