import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeDeltaBody, decodeFrame, type DeltaColumns, type QueryInput } from '@nowcast/contract';
import type { Options } from '../harness/measure.ts';
import { figureOf, type Row } from '../harness/rounds.ts';
import { startOwnViewers } from '../harness/viewers.ts';
import { feed, manyConnections, viewsOf } from '../servers/feed.ts';
import { type Nowcast, startNowcast } from '../servers/nowcast.ts';

const connections = 200;
const hz = 20;
/** Of the view. */
const stepMs = 1000;

/**
 * A reader that stops for 20 s among others that do not. It must not be cut; while it stands still no more than about a
 * second of data may be sent to it; and from its first acknowledgement on, what it is sent is as fresh as for all.
 */
export async function stalledReader(name: string, options: Options): Promise<Row> {
  const stallMs = options.quick ? 8000 : 20_000;
  const server = await startNowcast(manyConnections);
  const stop = await feed(server, { views: 1, series: 112, hz });
  const [query] = viewsOf(1);
  const others = await startOwnViewers(server, connections, [query!]);
  try {
    const reader = new Reader(server, query!);
    await reader.ready;
    await delay(2000);
    reader.pause();
    await delay(stallMs);
    reader.ages = [];
    reader.resume();
    await delay(3000);
    // What was on its way when it stopped comes first, older than the pause; it is as much as had been sent by then.
    const backlog = reader.ages.filter((age) => age > stallMs / 2);
    const fresh = reader.ages.slice(backlog.length);
    const figures = {
      times_cut: reader.cut,
      sent_while_stalled_ms: backlog.length === 0 ? 0 : Math.max(...backlog) - Math.min(...backlog),
      frames_after: fresh.length,
      oldest_sent_after_ack_ms: Math.max(...fresh),
    };
    return {
      measure: 'fanout',
      case: name,
      subject: 'nowcast',
      figures: Object.fromEntries(Object.entries(figures).map(([of, value]) => [of, figureOf([value])])),
      runs: 1,
      noisy_runs: 0,
    };
  } finally {
    await stop();
    await others.close();
    await server.destroy();
  }
}

/** A viewer that may stop reading; it acknowledges what it has read, like any other. */
class Reader {
  /** Age of each delta when it was read, ms, by the clock that server and reader share. */
  ages: number[] = [];
  cut = 0;
  readonly #socket: Socket;
  #rest = Buffer.alloc(0);
  #upgraded = false;
  readonly ready: Promise<void>;

  constructor(server: Nowcast, query: QueryInput) {
    this.#socket = connect(server.port, '127.0.0.1');
    this.ready = new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('close', () => (this.cut += 1));
      this.#socket.on('connect', () => this.#upgrade(server));
      this.#socket.on('data', (chunk: Buffer) => {
        if (this.#upgraded) this.#receive(chunk);
        else if (chunk.includes('101 Switching')) {
          this.#upgraded = true;
          this.#send({ type: 'subscribe', id: 'q', query });
          this.#receive(chunk.subarray(chunk.indexOf('\r\n\r\n') + 4));
          resolve();
        } else reject(new Error(chunk.toString().slice(0, 200)));
      });
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #upgrade(server: Nowcast): void {
    this.#socket.write(
      [
        'GET /updates HTTP/1.1',
        `Host: 127.0.0.1:${server.port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Protocol: nowcast.v1',
        `Authorization: Bearer ${server.token}`,
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
    if (frame.type === 2) this.ages.push(ageOf(decodeDeltaBody(frame.body)));
    if (frame.ack !== undefined) this.#send({ type: 'ack', n: frame.ack });
  }
}

/**
 * How old a delta is by its newest point; one that stands for several says nothing of its points, but its newest bucket
 * ends no sooner than its newest point came.
 */
function ageOf({ newest, buckets, count }: DeltaColumns): number {
  const at = newest > 0 ? newest : Math.max(...buckets.subarray(0, count)) + stepMs;
  return Math.max(0, Date.now() - at);
}

function frameSize(data: Buffer): { head: number; body: number } | undefined {
  if (data.length < 2) return undefined;
  const short = data[1]! & 127;
  if (short < 126) return { head: 2, body: short };
  if (short === 126) return data.length < 4 ? undefined : { head: 4, body: data.readUInt16BE(2) };
  return data.length < 10 ? undefined : { head: 10, body: Number(data.readBigUInt64BE(2)) };
}
