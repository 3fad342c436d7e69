import {
  type DeltaColumns,
  type DownMessage,
  type SnapshotColumns,
  type UpMessage,
  deltaToJson,
  encodeDeltaBody,
  encodeFrame,
  encodeJsonFrame,
  encodeSnapshotBody,
  frameType,
  jsonProtocol,
  snapshotToJson,
  upSchema,
} from '@nowcast/contract';
import type { Clock } from '@nowcast/kernel';
import type { SocketLike } from '../live-client.ts';

/**
 * A server of docs/protocol.md inside the test's process and on the test's clock: what it sends waits in a queue until
 * the test delivers it, so that every order of open, close, frame and timer can be tried. It keeps the truth (the cells
 * of each metric) and notes every rule that a client breaks.
 */
interface Change {
  seq: number;
  bucket: number;
  value: number;
}

class Metric {
  seq = 0;
  /** First position from which a delta can still be made. */
  oldest = 0;
  readonly cells = new Map<number, number>();
  readonly changes: Change[] = [];

  set(bucket: number, value: number): void {
    this.seq++;
    this.cells.set(bucket, value);
    this.changes.push({ seq: this.seq, bucket, value });
  }
}

interface ServerSubscription {
  metric: string;
  sentSeq: number;
}

type Listeners = {
  open: (() => void)[];
  error: (() => void)[];
  message: ((event: { data: unknown }) => void)[];
  close: ((event: { code: number; reason: string }) => void)[];
};

/** The client's end and the server's end of one socket. */
export class SimulatedSocket implements SocketLike {
  binaryType = 'blob';
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  welcomed = false;
  paused = false;
  lastAsked = 0;
  lastAcked = 0;
  /** For a real socket in front of this one. */
  onEnd: (code: number) => void = () => {};
  readonly subscriptions = new Map<string, ServerSubscription>();
  readonly namesUsed = new Set<string>();
  readonly queue: unknown[] = [];
  readonly #listeners: Listeners = { open: [], error: [], message: [], close: [] };
  readonly #server: SimulatedServer;
  readonly #json: boolean;

  constructor(server: SimulatedServer, protocol: string) {
    this.#server = server;
    this.#json = protocol === jsonProtocol;
  }

  addEventListener(type: keyof Listeners, listener: never): void {
    this.#listeners[type].push(listener);
  }

  send(data: string): void {
    if (this.state === 'connecting') throw new Error('InvalidStateError: still connecting');
    if (this.state === 'open' && !this.#server.cut) this.#server.receive(this, data);
  }

  close(): void {
    this.state = 'closed';
  }

  accept(): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    for (const listener of this.#listeners.open) listener();
  }

  end(code: number): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.onEnd(code);
    if (code === 1006) for (const listener of this.#listeners.error) listener();
    for (const listener of this.#listeners.close) listener({ code, reason: 'test' });
  }

  /** Hands the oldest `count` messages to the client; also after it closed, as a real socket may. */
  deliver(count: number): void {
    for (const data of this.queue.splice(0, count))
      for (const listener of this.#listeners.message) listener({ data });
  }

  /** Everything, and what it made the server say. */
  deliverAll(): void {
    while (this.queue.length > 0) this.deliver(1);
  }

  push(message: DownMessage): void {
    if (this.#server.cut || this.state !== 'open') return;
    this.queue.push(this.#json ? JSON.stringify(message) : copy(encodeJsonFrame(message)));
  }

  pushSnapshot(id: string, snapshot: SnapshotColumns, ack: number | undefined): void {
    if (this.#server.cut || this.state !== 'open') return;
    const json = (): string => JSON.stringify(snapshotToJson(id, snapshot, ack));
    const binary = (): ArrayBuffer =>
      copy(encodeFrame(frameType.snapshot, id, encodeSnapshotBody(snapshot), ack));
    this.queue.push(this.#json ? json() : binary());
  }

  pushDelta(id: string, delta: DeltaColumns, ack: number | undefined): void {
    if (this.#server.cut || this.state !== 'open') return;
    const json = (): string => JSON.stringify(deltaToJson(id, delta, ack));
    const binary = (): ArrayBuffer => copy(encodeFrame(frameType.delta, id, encodeDeltaBody(delta), ack));
    this.queue.push(this.#json ? json() : binary());
  }
}

function copy(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return bytes.slice().buffer;
}

export class SimulatedServer {
  readonly clock: Clock;
  readonly metrics = new Map<string, Metric>();
  readonly sockets: SimulatedSocket[] = [];
  /** Rules of the protocol that the client broke. */
  readonly violations: string[] = [];
  /** How subscriptions were answered, to prove that a test reached what it is about. */
  readonly answers = { snapshot: 0, resumed: 0, refused: 0 };
  epoch = 1;
  #cut = false;
  /** Token the server accepts; undefined: the cookie did it. */
  token: string | undefined;
  /** What happens to the next subscribe. */
  refuseNext: 'no' | 'retryable' | 'final' = 'no';
  readonly #ackTimes: number[] = [];
  #cancelHeartbeat: () => void = () => {};

  constructor(clock: Clock) {
    this.clock = clock;
    this.#heartbeat();
  }

  /** The link is dead: nothing arrives in either direction, and nobody is told. */
  get cut(): boolean {
    return this.#cut;
  }

  set cut(cut: boolean) {
    // A stream loses its end, never its middle: what was cut while it spoke does not go on.
    if (this.#cut && !cut) this.socket?.end(1006);
    this.#cut = cut;
  }

  /** Stands for the WebSocket constructor. */
  connect(protocol: string): SimulatedSocket {
    if (this.sockets.some((socket) => socket.state !== 'closed')) this.violations.push('two sockets at once');
    const socket = new SimulatedSocket(this, protocol);
    this.sockets.push(socket);
    return socket;
  }

  get socket(): SimulatedSocket | undefined {
    return this.sockets.findLast((socket) => socket.state !== 'closed');
  }

  accept(): void {
    const { socket } = this;
    if (this.cut || socket?.state !== 'connecting') return;
    socket.accept();
    if (this.token === undefined) this.#welcome(socket);
  }

  metric(name: string): Metric {
    let metric = this.metrics.get(name);
    if (metric === undefined) this.metrics.set(name, (metric = new Metric()));
    return metric;
  }

  publish(name: string, bucket: number, value: number): void {
    this.metric(name).set(bucket, value);
    const { socket } = this;
    if (socket === undefined || socket.paused) return;
    for (const [id, subscription] of socket.subscriptions)
      if (subscription.metric === name) this.#sendDelta(socket, id, subscription);
  }

  /** The log was restored: other positions, and nothing can be resumed. */
  restore(): void {
    this.epoch++;
    for (const metric of this.metrics.values()) metric.oldest = metric.seq;
    this.socket?.end(1012);
  }

  receive(socket: SimulatedSocket, data: string): void {
    const parsed = upSchema.safeParse(JSON.parse(data));
    if (!parsed.success) {
      this.violations.push(`not in the schema: ${data}`);
      return;
    }
    const message = parsed.data;
    if (!socket.welcomed && message.type !== 'auth') this.violations.push(`${message.type} before welcome`);
    this.#handle(socket, message);
  }

  #handle(socket: SimulatedSocket, message: UpMessage): void {
    switch (message.type) {
      case 'auth':
        if (this.token === undefined || message.token === this.token) this.#welcome(socket);
        else this.clock.after(0, () => socket.end(4401));
        break;
      case 'subscribe':
        this.#subscribe(socket, message);
        break;
      case 'unsubscribe':
        socket.subscriptions.delete(message.id);
        break;
      case 'ack':
        this.#ack(socket, message.n);
        break;
      case 'pause':
        socket.paused = message.paused;
        if (message.paused) break;
        for (const [id, subscription] of socket.subscriptions)
          if (subscription.sentSeq !== this.metric(subscription.metric).seq)
            this.#sendDelta(socket, id, subscription);
        break;
      case 'follow':
        socket.push({ type: 'following', topics: message.topics });
        break;
    }
  }

  #welcome(socket: SimulatedSocket): void {
    socket.welcomed = true;
    socket.push({
      type: 'welcome',
      protocol: 'nowcast.v1',
      server_time: this.clock.now(),
      epoch: `e${this.epoch}`,
      heartbeat_ms: 15_000,
    });
  }

  #subscribe(socket: SimulatedSocket, message: Extract<UpMessage, { type: 'subscribe' }>): void {
    const { id, query, resume } = message;
    if (socket.namesUsed.has(id)) this.violations.push(`the name ${id} was used twice on a socket`);
    socket.namesUsed.add(id);
    if (this.refuseNext !== 'no') {
      const retryable = this.refuseNext === 'retryable';
      this.refuseNext = 'no';
      this.answers.refused++;
      socket.push({ type: 'notice', id, code: 'query.timeout', message: 'refused by the test', retryable });
      return;
    }
    const subscription = { metric: query.metric_type, sentSeq: 0 };
    socket.subscriptions.set(id, subscription);
    const metric = this.metric(subscription.metric);
    const since = Number(resume?.seq);
    const known = resume?.epoch === `e${this.epoch}` && since >= metric.oldest && since <= metric.seq;
    this.answers[known ? 'resumed' : 'snapshot']++;
    if (known) {
      subscription.sentSeq = since;
      this.#sendDelta(socket, id, subscription);
    } else this.#sendSnapshot(socket, id, subscription);
  }

  #sendSnapshot(socket: SimulatedSocket, id: string, subscription: ServerSubscription): void {
    const metric = this.metric(subscription.metric);
    const cells = [...metric.cells].sort(([a], [b]) => a - b);
    subscription.sentSeq = metric.seq;
    const snapshot: SnapshotColumns = {
      epoch: `e${this.epoch}`,
      seq: String(metric.seq),
      recovered: false,
      stepMs: 1000,
      from: 0,
      to: 1e6,
      series: [
        {
          key: 1,
          labels: { metric: subscription.metric },
          timestamps: Float64Array.from(cells, ([bucket]) => bucket),
          values: Float64Array.from(cells, ([, value]) => value),
        },
      ],
    };
    socket.pushSnapshot(id, snapshot, this.#nextAsk(socket));
  }

  /** One merged delta from what was sent last until now. */
  #sendDelta(socket: SimulatedSocket, id: string, subscription: ServerSubscription): void {
    const metric = this.metric(subscription.metric);
    const merged = new Map<number, number>();
    for (const { seq, bucket, value } of metric.changes)
      if (seq > subscription.sentSeq) merged.set(bucket, value);
    const delta: DeltaColumns = {
      baseSeq: String(subscription.sentSeq),
      seq: String(metric.seq),
      newest: merged.size === 0 ? 0 : this.clock.now(),
      series: [],
      removed: [],
      count: merged.size,
      keys: new Uint32Array(merged.size).fill(1),
      buckets: Float64Array.from(merged.keys()),
      values: Float64Array.from(merged.values()),
    };
    subscription.sentSeq = metric.seq;
    socket.pushDelta(id, delta, this.#nextAsk(socket));
  }

  /** Asks at every frame: the pace is the client's to keep. */
  #nextAsk(socket: SimulatedSocket): number {
    return ++socket.lastAsked;
  }

  #ack(socket: SimulatedSocket, n: number): void {
    const now = this.clock.monotonic();
    const { length } = this.#ackTimes;
    if (length >= 2 && now - this.#ackTimes[length - 2]! <= 1000)
      this.violations.push('more than two acknowledgements within a second');
    if (n <= socket.lastAcked || n > socket.lastAsked)
      this.violations.push(`acknowledged ${n} after ${socket.lastAcked}, asked up to ${socket.lastAsked}`);
    this.#ackTimes.push(now);
    socket.lastAcked = n;
  }

  stop(): void {
    this.#cancelHeartbeat();
  }

  #heartbeat(): void {
    this.#cancelHeartbeat = this.clock.after(15_000, () => {
      if (this.socket?.welcomed === true)
        this.socket.push({ type: 'heartbeat', server_time: this.clock.now() });
      this.#heartbeat();
    });
  }
}
