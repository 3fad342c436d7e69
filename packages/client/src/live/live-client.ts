import {
  type FollowTopic,
  type NoticeMessage,
  type QueryInput,
  type UpMessage,
  appError,
  binaryProtocol,
  type jsonProtocol,
} from '@nowcast/contract';
import { type Clock, type Unsubscribe, systemClock } from '@nowcast/kernel';
import { AckPacer } from './ack-pacer.ts';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  type Phase,
  newConnection,
  stepConnection,
} from './connection.ts';
import { type Incoming, decodeMessage } from './decode-message.ts';
import { type FollowHandlers, FollowSet } from './follow-set.ts';
import { ServerClock } from './server-clock.ts';
import {
  type SubscribeOptions,
  type SubscribeUp,
  type Subscription,
  type ViewHandlers,
  SubscriptionSet,
} from './subscription-set.ts';

/** What the client needs of a WebSocket: the browser's, Node's own, and the `ws` package's fit. */
export interface SocketLike {
  binaryType: string;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

export interface LiveClientOptions {
  /** Address of the server (http, https, ws or wss), with its path prefix if it has one; `/updates` is added. */
  url: string;
  /** Session token for programs; in a browser the cookie does it. */
  token?: string;
  protocol?: typeof binaryProtocol | typeof jsonProtocol;
  /** Default: the platform's WebSocket. */
  WebSocket?: SocketConstructor;
  clock?: Clock;
  /** Uniform in [0, 1), for the jitter of the backoff. */
  random?: () => number;
  /** What a handler threw, or a message that could not be read. Default: thrown in a task of its own. */
  onError?: (error: unknown) => void;
  /** What the server says about the socket itself, mostly why it is about to close it. */
  onNotice?: (notice: NoticeMessage) => void;
}

export interface LiveStatus {
  readonly state: Phase;
  /** While `waiting`: how long, from the moment the status was published, ms. */
  readonly retryInMs: number | undefined;
  /** The platform says that there is no network. */
  readonly offline: boolean;
  /** While `refused`: the close code and reason, for example 4401 `auth.required`. */
  readonly refusal: { readonly code: number; readonly reason: string } | undefined;
}

/** What the platform noticed: `navigator.onLine`, `document.visibilityState`. */
export type Hint = 'online' | 'offline' | 'visible';

/**
 * Live views over one socket that heals itself: reconnects, resumes each view from its last position, acknowledges,
 * notices dead links. The decisions are in connection.ts and subscription.ts (pure); this shell owns the socket, the
 * timers and the clocks, and executes their effects. The first `subscribe` or `follow`
 * connects.
 */
export class LiveClient {
  readonly #url: string;
  readonly #protocol: string;
  readonly #WebSocket: SocketConstructor;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #onNotice: ((notice: NoticeMessage) => void) | undefined;
  readonly #serverClock: ServerClock;
  readonly #acks: AckPacer;
  readonly #subscriptions: SubscriptionSet;
  readonly #follows: FollowSet;
  readonly #statusListeners = new Set<(status: LiveStatus) => void>();
  #connection: Connection;
  #socket: SocketLike | undefined;
  #cancelTimer: Unsubscribe | undefined;
  #cancelGoaway: Unsubscribe | undefined;
  #retryInMs: number | undefined;
  #status: LiveStatus;
  /** When anything was last received, by both clocks. */
  #heardAt = { monotonicMs: 0, wallMs: 0 };
  #lagMs: number | undefined;

  constructor(options: LiveClientOptions) {
    this.#url = updatesUrl(options.url);
    this.#protocol = options.protocol ?? binaryProtocol;
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    const clock = options.clock ?? systemClock;
    this.#clock = clock;
    this.#random = options.random ?? Math.random;
    this.#onError = options.onError ?? ((error) => throwLater(clock, error));
    this.#onNotice = options.onNotice;
    this.#serverClock = new ServerClock(clock);
    this.#acks = new AckPacer(clock, (n) => this.#send({ type: 'ack', n }));
    this.#subscriptions = new SubscriptionSet({
      clock,
      random: this.#random,
      send: (message) => this.#send(message),
      onError: (error) => this.#onError(error),
    });
    this.#follows = new FollowSet({
      send: (topics) => this.#send({ type: 'follow', topics }),
      onError: (error) => this.#onError(error),
    });
    this.#connection = newConnection(options.token);
    this.#status = this.#readStatus();
  }

  /** Opens a live view that survives reconnects until it is closed. Throws on a closed client. */
  subscribe(query: QueryInput, handlers: ViewHandlers, options: SubscribeOptions = {}): Subscription {
    this.#assertOpen();
    const subscription = this.#subscriptions.add(query, handlers, options);
    if (this.#connection.phase === 'idle') this.connect();
    return subscription;
  }

  /** Hears what happens beside views until the returned function is called. Throws on a closed client. */
  follow(topics: readonly FollowTopic[], handlers: FollowHandlers): Unsubscribe {
    this.#assertOpen();
    const unfollow = this.#follows.add(topics, handlers);
    if (this.#connection.phase === 'idle') this.connect();
    return unfollow;
  }

  #assertOpen(): void {
    if (this.#connection.phase === 'closed')
      throw appError('request.invalid', 'this client was closed: make a new one');
  }

  /** Connects, or tries again at once while waiting or refused. */
  connect(): void {
    this.#step({ type: 'connect' });
  }

  /** Uses this session token from now on: on the open socket, or for the next one. */
  authenticate(token: string): void {
    this.#step({ type: 'authenticate', token });
  }

  /** Stops the flow of deltas and keeps the subscriptions. */
  pause(): void {
    this.#step({ type: 'pause' });
  }

  /** Ends a pause: every view gets one merged delta. */
  resume(): void {
    this.#step({ type: 'resume' });
  }

  /** Ends everything; the client cannot be used again. */
  close(): void {
    this.#subscriptions.closeAll();
    this.#follows.clear();
    this.#step({ type: 'close' });
    this.#statusListeners.clear();
  }

  /** Tells what the platform noticed; a wrong hint costs at most one reconnect. */
  hint(hint: Hint): void {
    this.#step(hint === 'offline' ? { type: hint } : { type: hint, silentMs: this.#silentMs() });
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** Calls `listener` at every change of the status, until the returned function is called. */
  onStatus(listener: (status: LiveStatus) => void): Unsubscribe {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** The server's wall clock as well as it is known here, epoch ms. */
  serverNow(): number {
    return this.#serverClock.now();
  }

  /** From the server's receipt of the newest record to its arrival here, ms; undefined until one came. */
  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  /** By both clocks: the monotonic one stands still in some sleeps, the wall clock can be set. */
  #silentMs(): number {
    const { monotonicMs, wallMs } = this.#heardAt;
    return Math.max(this.#clock.monotonic() - monotonicMs, this.#clock.now() - wallMs);
  }

  /** Between two messages one clock went on without the other: this machine slept, or its wall clock was set. */
  #clocksParted(): boolean {
    const { monotonicMs, wallMs } = this.#heardAt;
    return Math.abs(this.#clock.now() - wallMs - (this.#clock.monotonic() - monotonicMs)) > partedMs;
  }

  #hear(): void {
    this.#heardAt.monotonicMs = this.#clock.monotonic();
    this.#heardAt.wallMs = this.#clock.now();
  }

  #step(event: ConnectionEvent): void {
    const { next, effects } = stepConnection(this.#connection, event, this.#clock.monotonic());
    this.#connection = next;
    for (const effect of effects) this.#execute(effect);
    this.#publishStatus();
  }

  #execute(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'open':
        this.#open();
        break;
      case 'drop': {
        const socket = this.#socket;
        this.#socket = undefined;
        socket?.close(effect.code);
        break;
      }
      case 'send':
        this.#send(effect.message);
        break;
      case 'arm':
        this.#arm(effect.jitter ? this.#random() * effect.delayMs : effect.delayMs);
        break;
      case 'disarm':
        this.#cancelTimer?.();
        this.#cancelTimer = undefined;
        break;
      case 'armGoaway':
        this.#cancelGoaway?.();
        this.#cancelGoaway = this.#clock.after(effect.delayMs, () => this.#step({ type: 'goawayDue' }));
        break;
      case 'disarmGoaway':
        this.#cancelGoaway?.();
        this.#cancelGoaway = undefined;
        break;
      case 'link':
        if (!effect.up) this.#acks.reset();
        this.#subscriptions.setLink(effect.up);
        this.#follows.setLink(effect.up);
        break;
    }
  }

  #arm(delayMs: number): void {
    this.#cancelTimer?.();
    this.#retryInMs = delayMs;
    this.#cancelTimer = this.#clock.after(delayMs, () =>
      this.#step({ type: 'timeout', silentMs: this.#silentMs() }),
    );
  }

  #open(): void {
    this.#hear();
    let socket: SocketLike;
    try {
      socket = new this.#WebSocket(this.#url, [this.#protocol]);
    } catch (error) {
      // For example a page whose policy forbids the address. Tried again when the connect timeout has passed.
      this.#onError(error);
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    // A dropped socket may still speak: only the current one is heard.
    socket.addEventListener('open', () => {
      if (this.#socket === socket) this.#step({ type: 'opened' });
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket === socket) this.#receive(data);
    });
    socket.addEventListener('error', () => {
      // Always followed by close, which says more.
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#step({ type: 'lost', code, reason });
    });
  }

  #send(message: UpMessage | SubscribeUp): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #receive(data: unknown): void {
    const socket = this.#socket;
    // What is known of the server's clock holds no more: the welcome of a new socket says it at once.
    if (this.#clocksParted()) this.#step({ type: 'visible', silentMs: Infinity });
    if (this.#socket !== socket) return;
    this.#hear();
    let message: Incoming;
    try {
      message = decodeMessage(data);
    } catch (error) {
      this.#step({ type: 'malformed' });
      this.#onError(error);
      return;
    }
    this.#dispatch(message);
    // After the handlers: a page too slow to draw is a slow reader, and is sent less. They may have closed the socket.
    if (this.#socket !== socket) return;
    if ('ack' in message && message.ack !== undefined) this.#acks.ask(message.ack);
    else this.#acks.poll();
  }

  #dispatch(message: Incoming): void {
    switch (message.type) {
      case 'welcome':
        this.#serverClock.restart(message.server_time);
        this.#step({ type: 'welcomed', heartbeatMs: message.heartbeat_ms });
        break;
      case 'heartbeat':
        this.#serverClock.sample(message.server_time);
        break;
      case 'goaway':
        this.#step({ type: 'goaway', delayMs: message.reconnect_after_ms });
        break;
      case 'notice':
        if (message.id === undefined) this.#onNotice?.(message);
        else this.#subscriptions.notice(message);
        break;
      case 'snapshot':
        this.#subscriptions.snapshot(message.id, message.snapshot);
        break;
      case 'delta': {
        const { newest } = message.delta;
        if (newest > 0) this.#lagMs = this.#serverClock.since(newest);
        this.#subscriptions.delta(message.id, message.delta);
        break;
      }
      case 'following':
        this.#follows.following(message.topics);
        break;
      case 'event':
        this.#follows.event(message.event);
        break;
      case 'unknown':
        break;
    }
  }

  #readStatus(): LiveStatus {
    const { phase, offline, refusal } = this.#connection;
    return { state: phase, retryInMs: phase === 'waiting' ? this.#retryInMs : undefined, offline, refusal };
  }

  #publishStatus(): void {
    const next = this.#readStatus();
    const old = this.#status;
    const same =
      next.state === old.state &&
      next.retryInMs === old.retryInMs &&
      next.offline === old.offline &&
      next.refusal === old.refusal;
    if (same) return;
    this.#status = next;
    for (const listener of this.#statusListeners) listener(next);
  }
}

/** Clocks that are disciplined by hundredths never come this far apart between two heartbeats, ms. */
const partedMs = 2000;

/** So that the platform reports it and the caller goes on. */
function throwLater(clock: Clock, error: unknown): void {
  clock.after(0, () => {
    throw error;
  });
}

function updatesUrl(address: string): string {
  if (!/^(?:http|ws)s?:\/\//i.test(address) || !URL.canParse(address))
    throw appError(
      'request.invalid',
      `url: write a whole address such as https://example.com, not "${address}"`,
    );
  const url = new URL(address);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  url.pathname = `${url.pathname.replace(/\/$/, '')}/updates`;
  url.search = '';
  url.hash = '';
  return url.href;
}
