import {
  type Actor,
  appError,
  type DownMessage,
  errorEntry,
  type ErrorCode,
  type FollowMessage,
  limits,
  type SubscribeMessage,
  type UpMessage,
  upSchema,
} from '@nowcast/contract';
import { type AppError, isAppError } from '@nowcast/kernel';
import type { Gatekeeper, Identity } from '../http/credentials.ts';
import { publicError } from '../http/errors.ts';
import { parseJson } from '../http/json.ts';
import { validate } from '../http/schema.ts';
import { readAck } from './ack-message.ts';
import type { Connection, Subscription } from './connection.ts';
import type { Delivery } from './delivery.ts';
import { encodeMessage } from './encoded-frame.ts';
import { acknowledge } from './flow-control.ts';
import type { Followers } from './followers.ts';
import { closeFrame } from './frames.ts';
import type { SharedViews } from './shared-views.ts';
import { ViewShares } from './view-shares.ts';

/**
 * Messages a peer may send at once, and a second on average. A page whose range changes ends every subscription and asks
 * for it anew: two messages each, and somebody may try three ranges in a second. What views cost is bounded elsewhere.
 */
export const messageBucket = {
  size: 6 * limits.subscriptionsPerSocket,
  perSecond: 2 * limits.subscriptionsPerSocket,
} as const;
/** How long a closed socket may linger before it is cut. */
const closeGraceMs = 2000;

/** How long things may take, in milliseconds. */
export interface LiveTiming {
  /** Until a peer has said who it is. */
  authenticateMs: number;
  /** Between two heartbeats; a peer that is silent for two of them is gone. */
  heartbeatMs: number;
  /** Until a peer that was asked has acknowledged anything. */
  deadMs: number;
  /** Between two looks at all connections. */
  sweepMs: number;
  /** Between two look-ups of the rights of one connection: what a cut bus lost still arrives. */
  recheckMs: number;
}

export const usualTiming: LiveTiming = {
  authenticateMs: 5000,
  heartbeatMs: 15_000,
  deadMs: 30_000,
  sweepMs: 500,
  recheckMs: 30_000,
};

export interface SessionOptions {
  timing: LiveTiming;
  gatekeeper: Gatekeeper;
  views: SharedViews;
  delivery: Delivery;
  followers: Followers;
  now: () => number;
  /** How many revocations have passed so far. */
  revocations: () => number;
  /** Epoch of the log, as far as it is known. */
  epoch: () => string;
  onClosed: (connection: Connection) => void;
}

/** What a peer says, and what comes of it. One object for all connections. */
export class Session {
  readonly #options: SessionOptions;
  readonly #shares = new ViewShares();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** One text message. Never throws: what is wrong with it ends the connection or the subscription it is about. */
  receive(connection: Connection, text: Uint8Array): void {
    if (!this.heard(connection)) return;
    const { actor, authenticating } = connection;
    const n = actor === undefined ? -1 : readAck(text);
    if (n >= 0) {
      this.#acknowledge(connection, n);
      return;
    }
    // Its promise never rejects, and continuations keep the order in which the messages came.
    if (actor === undefined && authenticating !== undefined) {
      // What is not taken from the socket waits with the peer and not in our memory.
      connection.sink.pause?.();
      const kept = Uint8Array.from(text);
      void authenticating.then(() => this.#take(connection, kept));
    } else this.#take(connection, text);
  }

  #take(connection: Connection, text: Uint8Array): void {
    if (connection.closed) return;
    try {
      const message = validate(upSchema, parseJson(text), 'live.message_invalid');
      this.#handle(connection, message);
    } catch (error) {
      this.fail(connection, invalidMessage(error));
    }
  }

  /** Any sign of life, pings and pongs too; false, and the end, for a peer that gives too many. */
  heard(connection: Connection): boolean {
    const now = this.#options.now();
    connection.heardAt = now;
    if (connection.closed) return false;
    if (takeAllowance(connection, now)) return true;
    this.fail(
      connection,
      appError('live.message_rate', `too many messages; send at most ${messageBucket.perSecond} a second`),
    );
    return false;
  }

  #handle(connection: Connection, message: UpMessage): void {
    const { delivery } = this.#options;
    if (message.type === 'auth') {
      void this.authenticate(connection, message.token);
      return;
    }
    if (connection.actor === undefined) {
      throw appError('auth.required', 'say who you are first: {"type": "auth", "token": …}');
    }
    switch (message.type) {
      case 'ack':
        this.#acknowledge(connection, message.n);
        break;
      case 'subscribe':
        this.subscribe(connection, message);
        break;
      case 'unsubscribe':
        this.#unsubscribe(connection, message.id);
        break;
      case 'pause':
        if (connection.paused === message.paused) break;
        connection.paused = message.paused;
        if (message.paused) delivery.hold(connection);
        else delivery.release(connection);
        break;
      case 'follow':
        this.#follow(connection, message);
        break;
      default:
    }
  }

  #acknowledge(connection: Connection, n: number): void {
    connection.look();
    if (acknowledge(connection.flow, n)) this.#options.delivery.release(connection);
  }

  #follow(connection: Connection, { topics }: FollowMessage): void {
    const { actor } = connection;
    const { gatekeeper, followers } = this.#options;
    for (const topic of topics) {
      const may =
        actor !== undefined &&
        (topic === 'notifications'
          ? actor.kind === 'user' && gatekeeper.can(actor, 'profile.manage')
          : gatekeeper.can(actor, 'alert.read'));
      if (!may) throw appError('auth.forbidden', `this key or role may not follow "${topic}"`);
    }
    followers.follow(connection, topics);
    this.#say(connection, 'following', { type: 'following', topics });
  }

  /** First or renewed identity; answers with `welcome`, or closes. */
  authenticate(connection: Connection, credential: string): Promise<void> {
    const authenticating = this.#authenticate(connection, credential).finally(() => {
      if (!connection.closed) connection.sink.resume?.();
    });
    connection.authenticating = authenticating;
    return authenticating;
  }

  /** Never rejects. */
  async #authenticate(connection: Connection, credential: string): Promise<void> {
    try {
      const { gatekeeper, revocations } = this.#options;
      let identity: Identity | undefined;
      let before: number;
      // A revocation that passes meanwhile finds nobody on this socket yet, so the answer may be one too old.
      do {
        before = revocations();
        identity = await gatekeeper.identify(credential);
      } while (revocations() !== before);
      if (connection.closed) return;
      if (identity === undefined)
        throw appError('auth.required', 'this session is not valid (any more); sign in again');
      this.#admit(connection, identity.actor);
      connection.credential = credential;
      connection.expiresAt = identity.expires_at ?? Infinity;
    } catch (error) {
      this.fail(connection, publicError(error));
      return;
    }
    this.#welcome(connection);
  }

  /** Throws when the actor may not be on this socket. */
  #admit(connection: Connection, actor: Actor): void {
    const before = connection.actor;
    if (before !== undefined && !samePrincipal(before, actor)) {
      throw appError('auth.forbidden', 'this socket belongs to somebody else; open a new one');
    }
    if (!this.#options.gatekeeper.can(actor, 'data.read')) {
      throw appError('auth.forbidden', 'this key or role may not read data; a key needs the scope "read"');
    }
    connection.actor = actor;
  }

  #welcome(connection: Connection): void {
    if (connection.format === 'sse') return;
    const welcome = {
      type: 'welcome',
      protocol: connection.format,
      server_time: Date.now(),
      epoch: this.#options.epoch(),
      heartbeat_ms: this.#options.timing.heartbeatMs,
    } as const;
    this.#say(connection, 'welcome', welcome);
  }

  subscribe(connection: Connection, message: SubscribeMessage): void {
    const { subscriptions, actor } = connection;
    if (subscriptions.has(message.id)) {
      throw appError('live.message_invalid', `the subscription "${message.id}" is open; choose another id`);
    }
    if (actor === undefined || !this.#options.gatekeeper.can(actor, 'data.read')) {
      throw appError('auth.forbidden', 'this key or role may not read data');
    }
    const subscription: Subscription = {
      id: message.id,
      intervalMs: message.interval_ms ?? 0,
      view: undefined,
      held: undefined,
      state: 'opening',
      position: message.resume,
      answered: false,
      ended: false,
    };
    const isOneTooMany = subscriptions.size >= limits.subscriptionsPerSocket;
    subscriptions.set(message.id, subscription);
    if (isOneTooMany) {
      this.refuse(connection, subscription, tooManySubscriptions());
      return;
    }
    void this.#open(connection, subscription, actor, message.query);
  }

  async #open(
    connection: Connection,
    subscription: Subscription,
    actor: Actor,
    query: SubscribeMessage['query'],
  ): Promise<void> {
    const { views, delivery } = this.#options;
    try {
      const held = this.#shares.take(actor, query);
      subscription.opening = held;
      // Whoever leaves meanwhile keeps the share until the engine is done: its view is there until then.
      const view = await views.acquire(actor.tenant_id, query).catch((error: unknown) => {
        this.#shares.give(held, subscription.ended);
        subscription.opening = undefined;
        throw error;
      });
      subscription.opening = undefined;
      if (subscription.ended || connection.closed) {
        views.release(view);
        this.#shares.give(held, subscription.ended);
        return;
      }
      subscription.held = held;
      subscription.view = view;
      delivery.start(connection, subscription);
    } catch (error) {
      this.refuse(connection, subscription, error);
    }
  }

  /** Ends a subscription that cannot be served, says why, and frees its id; a stream of one view ends with it. */
  refuse(connection: Connection, subscription: Subscription, thrown: unknown): void {
    if (connection.closed || subscription.ended) return;
    this.#end(connection, subscription);
    const { id } = subscription;
    const { code, message, retryable } = publicError(thrown);
    this.#say(connection, `notice ${id}`, { type: 'notice', id, code, message, retryable });
    if (connection.format === 'sse') this.close(connection, 1000, '');
  }

  /** A peer that asks on and on without reading the answers is not worth keeping them for. */
  #say(connection: Connection, about: string, message: DownMessage): void {
    const waiting = connection.say(about, encodeMessage(connection.format, message), this.#options.now());
    if (waiting > limits.subscriptionsPerSocket)
      this.fail(connection, appError('live.unacknowledged', 'you read nothing of what you are told'));
  }

  #unsubscribe(connection: Connection, id: string): void {
    const subscription = connection.subscriptions.get(id);
    if (subscription !== undefined) this.#end(connection, subscription);
  }

  #end(connection: Connection, subscription: Subscription): void {
    connection.subscriptions.delete(subscription.id);
    this.#finish(subscription);
    this.#options.delivery.leave(connection, subscription);
  }

  #finish(subscription: Subscription): void {
    if (!subscription.ended && subscription.opening !== undefined) this.#shares.end(subscription.opening);
    subscription.ended = true;
    if (subscription.held !== undefined) this.#shares.give(subscription.held);
    subscription.held = undefined;
  }

  /** Says why, then closes with the code of the error. */
  fail(connection: Connection, error: AppError): void {
    if (connection.closed) return;
    const { code, message, retryable } = error;
    connection.write(
      encodeMessage(connection.format, { type: 'notice', code, message, retryable }),
      this.#options.now(),
    );
    this.close(connection, errorEntry(code).close ?? 1011, code);
  }

  close(connection: Connection, code: number, reason: string): void {
    if (connection.closed) return;
    connection.closed = true;
    connection.look();
    const { sink } = connection;
    if (connection.format !== 'sse') sink.write(closeFrame(code, reason));
    sink.end();
    setTimeout(() => sink.destroy(), closeGraceMs).unref();
    this.#gone(connection);
  }

  /** The peer is gone without a word. */
  lost(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    connection.look();
    connection.sink.destroy();
    this.#gone(connection);
  }

  #gone(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) this.#finish(subscription);
    this.#options.delivery.gone(connection);
    this.#options.followers.gone(connection);
    this.#options.onClosed(connection);
  }
}

function invalidMessage(error: unknown): AppError {
  if (!isAppError(error)) return publicError(error);
  const code: ErrorCode = 'live.message_invalid';
  return error.code.startsWith('request.') ? appError(code, error.message, { cause: error }) : error;
}

function tooManySubscriptions(): AppError {
  return appError(
    'live.subscription_limit',
    `a socket may have ${limits.subscriptionsPerSocket} subscriptions; end some first`,
  );
}

function samePrincipal(a: Actor, b: Actor): boolean {
  if (a.tenant_id !== b.tenant_id) return false;
  if (a.kind === 'user') return b.kind === 'user' && a.user_id === b.user_id;
  return a.kind === 'key' && b.kind === 'key' && a.key_id === b.key_id;
}

/** Takes one message out of the connection's bucket; false when it is empty. */
function takeAllowance(connection: Connection, now: number): boolean {
  const refill = ((now - connection.allowanceAt) / 1000) * messageBucket.perSecond;
  connection.allowance = Math.min(messageBucket.size, connection.allowance + refill) - 1;
  connection.allowanceAt = now;
  return connection.allowance >= 0;
}
