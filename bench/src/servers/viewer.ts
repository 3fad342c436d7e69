import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { decodeFrame, type QueryInput } from '@nowcast/contract';

/** A viewer as small as it can be: counts frames, answers what asks for an acknowledgement. */
export class Viewer {
  frames = 0;
  readonly #socket: Socket;
  #rest = Buffer.alloc(0);
  #upgraded = false;
  readonly ready: Promise<void>;

  constructor(server: { port: number }, token: string, queries: readonly QueryInput[]) {
    this.#socket = connect(server.port, '127.0.0.1');
    this.ready = new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('connect', () => this.#upgrade(server, token));
      this.#socket.on('data', (chunk: Buffer) => {
        if (this.#upgraded) this.#receive(chunk);
        else if (chunk.includes('101 Switching')) {
          this.#upgraded = true;
          queries.forEach((query, i) => this.#send({ type: 'subscribe', id: `q${i}`, query }));
          this.#receive(chunk.subarray(chunk.indexOf('\r\n\r\n') + 4));
          resolve();
        } else reject(new Error(chunk.toString().slice(0, 200)));
      });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #upgrade(server: { port: number }, token: string): void {
    this.#socket.write(
      [
        'GET /updates HTTP/1.1',
        `Host: 127.0.0.1:${server.port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Protocol: nowcast.v1',
        `Authorization: Bearer ${token}`,
        '\r\n',
      ].join('\r\n'),
    );
  }

  #send(message: object): void {
    const text = Buffer.from(JSON.stringify(message));
    const head =
      text.length < 126
        ? Buffer.from([0x81, 0x80 | text.length])
        : Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 255]);
    // A mask of zeros is a mask; the payload then needs no work.
    this.#socket.write(Buffer.concat([head, Buffer.alloc(4), text]));
  }

  #receive(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const size = frameSize(data);
      if (size === undefined || data.length < size.head + size.body) break;
      if ((data[0]! & 15) === 2) this.#frame(data.subarray(size.head, size.head + size.body));
      data = data.subarray(size.head + size.body);
    }
    this.#rest = Buffer.from(data);
  }

  #frame(body: Buffer): void {
    const frame = decodeFrame(body);
    if (frame.type === 2) this.frames++;
    if (frame.ack !== undefined) this.#send({ type: 'ack', n: frame.ack });
  }
}

function frameSize(data: Buffer): { head: number; body: number } | undefined {
  if (data.length < 2) return undefined;
  const short = data[1]! & 127;
  if (short < 126) return { head: 2, body: short };
  if (short === 126) return data.length < 4 ? undefined : { head: 4, body: data.readUInt16BE(2) };
  return data.length < 10 ? undefined : { head: 10, body: Number(data.readBigUInt64BE(2)) };
}
