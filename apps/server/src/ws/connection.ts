import type { Actor, FollowTopic } from '@nowcast/contract';
import type { OpenView } from '@nowcast/ports';
import type { EncodedFrame, LiveFormat } from './encoded-frame.ts';
import type { FastLane } from './fast-lane.ts';
import { createFlow, type Flow, flowLimits } from './flow-control.ts';
import type { HeldQuery } from './view-shares.ts';

/** Where bytes go: a WebSocket's TCP socket, or the response of an event stream. */
export interface Sink {
  write(bytes: Uint8Array): unknown;
  end(): unknown;
  destroy(): unknown;
  /** Stops taking what the peer sends, and goes on. */
  pause?(): unknown;
  resume?(): unknown;
  readonly writableLength: number;
  /** Its descriptor is closed, and may be somebody else's already. */
  readonly destroyed: boolean;
}

/** Where a viewer stands in a view; undefined: it has nothing yet. */
export type Position = { epoch: string; seq: string } | undefined;

/** A view of the engine, as all connections of this gateway use it together. */
export interface SharedView extends OpenView {
  /** Spellings of the query under which it was asked for. */
  readonly keys: string[];
  /** Subscriptions that use it. */
  users: number;
  /** Position of every subscription that flows: the end of the last delta that was sent. */
  seq: string;
  /** Cohorts that have it in their set. */
  readonly cohorts: Set<Cohort>;
  /** The last snapshot, while nothing has happened since; monotonic ms of its reading. */
  fresh: { snapshot: EncodedFrame; readAt: number } | undefined;
}

/**
 * Connections that want exactly the same bytes: the same form, and the same subscriptions under the same ids. What a
 * tick has for a cohort is put together once and written to each member's socket in one write.
 */
export interface Cohort {
  readonly key: string;
  readonly format: LiveFormat;
  readonly entries: readonly { id: string; view: SharedView }[];
  readonly members: Connection[];
  readonly lane: FastLane;
}

/**
 * `opening`: waits for the view. `reading`: waits for a snapshot or a merged delta. `flowing`: gets every tick.
 * `resting`: up to date at its own slower pace. `held`: gets nothing until the connection may send again.
 */
export type SubscriptionState = 'opening' | 'reading' | 'flowing' | 'resting' | 'held';

export interface Subscription {
  readonly id: string;
  /** 0: as fast as the server ticks. */
  readonly intervalMs: number;
  view: SharedView | undefined;
  /** Its part of what the viewer may have open; undefined: nothing was taken. */
  held: HeldQuery | undefined;
  /** The same while its view is being opened. */
  opening?: HeldQuery | undefined;
  state: SubscriptionState;
  /** What the viewer has; while flowing it is the view's own. */
  position: Position;
  /** Its first message went out; every subscribe gets one, even when there is nothing new. */
  answered: boolean;
  /** Ended by the viewer; answers still under way for it are dropped. */
  ended: boolean;
}

/**
 * The state of one viewer, and nothing else: there may be tens of thousands, so it holds no closures, no timers and
 * no buffers. What happens to it is in `session.ts` (messages of the peer) and `delivery.ts` (frames to the peer).
 */
export class Connection {
  readonly sink: Sink;
  readonly format: LiveFormat;
  /** Descriptor of a socket that carries the bytes as they are; -1: there is none, as under TLS. */
  readonly #fd: number;
  readonly flow: Flow;
  readonly subscriptions = new Map<string, Subscription>();
  actor: Actor | undefined;
  /** Token or key it came with, to be looked up again. */
  credential: string | undefined;
  /** When the credential ends by itself, epoch ms. */
  expiresAt = Infinity;
  /** When it was last looked up, monotonic ms. */
  checkedAt: number;
  /** Somebody's first credential is being looked up: what they say meanwhile waits for the answer. */
  authenticating: Promise<void> | undefined;
  /** Topics whose events it gets; undefined: none. */
  follows: ReadonlySet<FollowTopic> | undefined;
  paused = false;
  closed = false;
  cohort: Cohort | undefined;
  cohortIndex = 0;
  /** Monotonic ms. */
  readonly openedAt: number;
  heardAt: number;
  /** When the peer last got a message, to a second; pings do not count, since no page can see them. */
  sentAt: number;
  /** When it was last asked for a sign of life. */
  beatAt: number;
  /** Message bucket: what is left, and when it was last filled. */
  allowance: number;
  allowanceAt: number;
  /** What the peer must be told once it reads again, by what it is about; undefined: nothing waits. */
  #waiting: Map<string, Uint8Array> | undefined;

  /** `phase` 0…1: see `createFlow`. */
  constructor(sink: Sink, format: LiveFormat, now: number, allowance: number, phase: number, fd = -1) {
    this.sink = sink;
    this.#fd = fd;
    this.format = format;
    this.flow = createFlow(now, phase);
    this.openedAt = now;
    this.checkedAt = now;
    this.heardAt = now;
    this.sentAt = now;
    this.beatAt = now;
    this.allowance = allowance;
    this.allowanceAt = now;
  }

  /** Event streams cannot answer. */
  get acknowledges(): boolean {
    return this.format !== 'sse';
  }

  /** Whether frames may go out at all. */
  get blocked(): boolean {
    return this.closed || this.paused || this.flow.stalled;
  }

  /** Where bytes may be sent past the stream, since nothing waits before them; else -1. Holds for this turn. */
  get directFd(): number {
    if (this.#waiting !== undefined || this.closed || this.sink.destroyed) return -1;
    return this.sink.writableLength === 0 ? this.#fd : -1;
  }

  /** Something may have changed that a tick has to know: it must not be sent to unseen. */
  look(): void {
    if (this.cohort !== undefined) this.cohort.lane.fds[this.cohortIndex] = -1;
  }

  /** Flowing subscriptions in a fixed order. */
  flowing(): Cohort['entries'] {
    const entries: { id: string; view: SharedView }[] = [];
    if (this.closed) return entries;
    for (const { id, view, state } of this.subscriptions.values()) {
      if (state === 'flowing' && view !== undefined) entries.push({ id, view });
    }
    return entries.length < 2 ? entries : entries.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  write(bytes: Uint8Array, now: number): void {
    if (this.closed) return;
    this.flush();
    this.sentAt = now;
    this.#write(bytes);
  }

  /** What was not taken of bytes that were sent directly. */
  writeRest(bytes: Uint8Array): void {
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.look();
    this.sink.write(bytes);
  }

  /**
   * A message that is no frame. To a peer that reads nothing only the newest `about` the same thing is kept, and it
   * goes out once the peer reads again. Returns how many wait.
   */
  say(about: string, bytes: Uint8Array, now: number): number {
    if (this.closed) return 0;
    if (this.reads) {
      this.write(bytes, now);
      return 0;
    }
    this.#waiting ??= new Map();
    this.#waiting.delete(about);
    this.#waiting.set(about, bytes);
    this.look();
    return this.#waiting.size;
  }

  /** Says what waits. */
  flush(): void {
    if (this.#waiting === undefined || this.closed) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const bytes of waiting.values()) this.#write(bytes);
  }

  /** Whether the peer takes what it is sent, as far as this process can see. */
  get reads(): boolean {
    return this.sink.writableLength <= flowLimits.bufferedBytes;
  }

  /** A ping or a pong. */
  writeControl(bytes: Uint8Array): void {
    if (!this.closed) this.#write(bytes);
  }
}
