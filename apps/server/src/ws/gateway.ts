import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Actor, appError, limits, type Query, type TenantEvent } from '@nowcast/contract';
import { type AppError, type Service, systemClock, type Unsubscribe } from '@nowcast/kernel';
import type { DirectSend, Engine, Revocation } from '@nowcast/ports';
import type { ClientInfo } from '../http/client-address.ts';
import { type Gatekeeper, readCredential } from '../http/credentials.ts';
import { errorBody, errorStatus, publicError } from '../http/errors.ts';
import type { OwnOrigin } from '../http/origin.ts';
import { readCookie } from '../http/cookies.ts';
import type { Logger } from '../log.ts';
import { Connection, type SharedView, type Sink } from './connection.ts';
import { Delivery, viewEnded } from './delivery.ts';
import { encodeMessage, type LiveFormat, readSsePosition } from './encoded-frame.ts';
import { drained, isDead, stalenessMs } from './flow-control.ts';
import { type EventTarget, Followers } from './followers.ts';
import { type FrameHandler, FrameParser, ProtocolError } from './frame-parser.ts';
import { pingFrame, pongFrame } from './frames.ts';
import { readHandshake, switchingProtocols } from './handshake.ts';
import { takeOver } from './live-socket.ts';
import { type LiveTiming, messageBucket, Session, usualTiming } from './session.ts';
import { SharedViews } from './shared-views.ts';

export interface GatewayOptions {
  engine: Engine;
  gatekeeper: Gatekeeper;
  onRevoked: (listener: (revocation: Revocation) => void) => Unsubscribe;
  revokes: (revocation: Revocation, actor: Actor) => boolean;
  origin: OwnOrigin;
  drainMs: number;
  log: Logger;
  observeDelayMs: (ms: number) => void;
  directSend: DirectSend | undefined;
  timing?: Partial<LiveTiming>;
}

/**
 * `GET /updates`: WebSockets and event streams in front of the engine's shared views. This class owns the connections
 * and their life (upgrade, heartbeat, revocation, drain); what they say is `Session`'s, what they get `Delivery`'s.
 */
export class Gateway implements Service {
  readonly #options: GatewayOptions;
  readonly #timing: LiveTiming;
  readonly #connections = new Set<Connection>();
  readonly #views: SharedViews;
  readonly #delivery: Delivery;
  readonly #followers = new Followers(systemClock);
  readonly #session: Session;
  readonly #frames: FrameHandler<Connection>;
  readonly #unsubscribe: (() => void)[] = [];
  #sweepTimer: NodeJS.Timeout | undefined;
  /** How many have passed; see `Session`. */
  #revocations = 0;
  #draining = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#timing = { ...usualTiming, ...options.timing };
    const now = (): number => performance.now();
    this.#views = new SharedViews(options.engine.live, now);
    this.#delivery = new Delivery({
      views: this.#views,
      clock: systemClock,
      log: options.log,
      observeDelayMs: options.observeDelayMs,
      directSend: options.directSend,
      onUnreadable: (connection, subscription, error) =>
        this.#session.refuse(connection, subscription, error),
      onEnded: (view) => this.#end(view),
    });
    this.#session = new Session({
      timing: this.#timing,
      gatekeeper: options.gatekeeper,
      views: this.#views,
      delivery: this.#delivery,
      followers: this.#followers,
      now,
      epoch: () => this.#views.epoch,
      revocations: () => this.#revocations,
      onClosed: (connection) => this.#connections.delete(connection),
    });
    this.#frames = {
      onText: (connection, text) => this.#session.receive(connection, text),
      onPing: (connection, payload) => {
        // A peer that reads nothing gets no answers either: they would pile up here.
        if (this.#session.heard(connection) && connection.reads) connection.writeControl(pongFrame(payload));
      },
      onPong: (connection) => void this.#session.heard(connection),
      onClose: (connection, code) => this.#session.close(connection, code === 1005 ? 1000 : code, ''),
    };
  }

  run(): Promise<void> {
    const { engine, onRevoked } = this.#options;
    this.#unsubscribe.push(
      engine.live.onFrames((frames) => this.#delivery.tick(frames)),
      onRevoked((revocation) => this.#revoke(revocation)),
    );
    this.#sweepTimer = setInterval(() => this.#sweep(), this.#timing.sweepMs);
    return Promise.resolve();
  }

  /** Every viewer of a view that the engine let go of is told to ask again, however it gets its frames. */
  #end(view: SharedView): void {
    const ended = viewEnded();
    for (const connection of this.#connections)
      for (const subscription of connection.subscriptions.values())
        if (subscription.view === view) this.#session.refuse(connection, subscription, ended);
  }

  /** An HTTP upgrade. `client` is who asks, after trusted proxies. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, client: ClientInfo): void {
    const socket = stream as Socket;
    // A socket without an error listener takes the process down with it.
    socket.on('error', () => socket.destroy());
    let handshake: ReturnType<typeof readHandshake>;
    try {
      if (new URL(request.url ?? '/', 'http://own.invalid').pathname !== '/updates') {
        throw appError('request.not_found', 'WebSockets are at /updates');
      }
      if (this.#draining)
        throw appError('server.unavailable', 'the server is stopping; connect again in a moment');
      handshake = readHandshake(request.headers);
      this.#checkOrigin(request, client);
    } catch (error) {
      refuse(socket, error);
      return;
    }
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.write(switchingProtocols(handshake));
    const connection = this.#open(socket, handshake.protocol, head);
    const credential = readCredential(request.headers, client.secure);
    if (credential !== undefined) void this.#session.authenticate(connection, credential);
  }

  /** A browser always sends Origin with a WebSocket; a cookie without one comes from something that pretends. */
  #checkOrigin(request: IncomingMessage, client: ClientInfo): void {
    const { origin, cookie, authorization } = request.headers;
    const withCookie =
      authorization === undefined && readCookie('session', cookie, client.secure) !== undefined;
    if (origin === undefined ? !withCookie : this.#options.origin.allows(origin, client)) return;
    throw appError(
      'auth.origin_refused',
      `pages of ${origin ?? 'an unknown origin'} may not open this socket`,
    );
  }

  #add(sink: Sink, format: LiveFormat, fd = -1): Connection {
    const phase = Math.random();
    const connection = new Connection(sink, format, performance.now(), messageBucket.size, phase, fd);
    // Who came together is not looked up together.
    connection.checkedAt -= phase * this.#timing.recheckMs;
    this.#connections.add(connection);
    return connection;
  }

  #open(upgraded: Socket, format: LiveFormat, head: Buffer): Connection {
    let parser: FrameParser<Connection> | undefined;
    const take = (bytes: Uint8Array): void => {
      if (connection.closed) return;
      try {
        parser?.push(bytes);
      } catch (error) {
        const code = error instanceof ProtocolError ? error.closeCode : 1011;
        this.#session.close(connection, code, error instanceof ProtocolError ? error.message : '');
      }
    };
    const { socket, fd } = takeOver(upgraded, { onBytes: take, onDestroy: () => connection.look() });
    socket.on('error', () => socket.destroy());
    const connection = this.#add(socket, format, fd);
    parser = new FrameParser(limits.socketMessageBytes, this.#frames, connection);
    this.#watch(connection, socket);
    if (head.length > 0) take(head);
    return connection;
  }

  #watch(connection: Connection, stream: Socket | ServerResponse): void {
    stream.on('drain', () => {
      connection.flush();
      if (drained(connection.flow)) this.#delivery.release(connection);
    });
    stream.on('close', () => this.#session.lost(connection));
    stream.on('end', () => this.#session.lost(connection));
  }

  /** `GET /updates` without an upgrade: one view as an event stream, until the peer goes. */
  stream(
    actor: Actor,
    query: Query,
    client: ClientInfo,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const connection = this.#add(response, 'sse');
    connection.actor = actor;
    connection.credential = readCredential(request.headers, client.secure);
    this.#watch(connection, response);
    // What was revoked since the request was let in found no stream to end; this also tells when the right expires.
    void this.#recheck(connection);
    response.write('retry: 1000\n\n');
    const header = request.headers['last-event-id'];
    const resume = readSsePosition(Array.isArray(header) ? header[0] : header);
    this.#session.subscribe(connection, {
      type: 'subscribe',
      id: 'view',
      query,
      ...(resume === undefined ? {} : { resume }),
    });
  }

  /** To the sockets of the tenant, or of the person, that follow it. */
  tell(to: EventTarget, event: TenantEvent): void {
    this.#followers.tell(to, event);
  }

  /** Throws when no new streams are taken. */
  assertOpen(): void {
    if (this.#draining)
      throw appError('server.unavailable', 'the server is stopping; connect again in a moment');
  }

  #revoke(revocation: Revocation): void {
    this.#revocations++;
    for (const connection of this.#connections) {
      if (connection.actor === undefined || !this.#options.revokes(revocation, connection.actor)) continue;
      this.#session.fail(connection, accessEnded());
    }
  }

  /** Twice a second: who is late, silent, or no longer allowed. */
  #sweep(): void {
    const now = performance.now();
    const wall = Date.now();
    this.#views.sweep();
    for (const connection of this.#connections) {
      if (wall >= connection.expiresAt) this.#session.fail(connection, accessEnded());
      else this.#check(connection, now);
      if (now - connection.checkedAt >= this.#timing.recheckMs) void this.#recheck(connection);
    }
  }

  #check(connection: Connection, now: number): void {
    const { flow, sink } = connection;
    if (connection.actor === undefined && now - connection.openedAt > this.#timing.authenticateMs) {
      this.#session.fail(
        connection,
        appError('auth.required', 'no valid "auth" message came within 5 seconds'),
      );
      return;
    }
    if (isDead(flow, now, this.#timing.deadMs)) {
      this.#session.fail(
        connection,
        appError('live.unacknowledged', 'nothing was acknowledged for 30 seconds'),
      );
      return;
    }
    if (flow.stalled && sink.writableLength === 0 && drained(flow)) this.#delivery.release(connection);
    if (connection.format === 'sse') {
      const silent = now - connection.sentAt >= this.#timing.heartbeatMs;
      if (silent && connection.reads) connection.write(sseHeartbeat, now);
    } else this.#heartbeat(connection, now);
  }

  /**
   * A word for the page, which learns from it how our clock stands, however busy the socket is; and a ping: two of them
   * without a sign of life, and the link is cut, however open the socket looks.
   */
  #heartbeat(connection: Connection, now: number): void {
    const { heartbeatMs, sweepMs } = this.#timing;
    // One sweep early: the next look would be too late.
    if (now - connection.beatAt < heartbeatMs - sweepMs) return;
    if (now - connection.heardAt > 2 * heartbeatMs) {
      this.#session.lost(connection);
      return;
    }
    connection.beatAt = now;
    connection.writeControl(pingFrame);
    if (connection.actor === undefined || !connection.reads) return;
    const beat = { type: 'heartbeat', server_time: Date.now() } as const;
    connection.write(encodeMessage(connection.format, beat), now);
  }

  async #recheck(connection: Connection): Promise<void> {
    const { credential, actor } = connection;
    connection.checkedAt = performance.now();
    if (credential === undefined || actor === undefined) return;
    try {
      const still = await this.#options.gatekeeper.identify(credential);
      if (connection.credential !== credential) return;
      if (still === undefined || !this.#options.gatekeeper.can(still.actor, 'data.read')) {
        this.#session.fail(connection, accessEnded());
      } else connection.expiresAt = still.expires_at ?? Infinity;
    } catch (error) {
      this.#options.log.warn('rights could not be checked; the socket stays', { error });
    }
  }

  /** Asks every viewer to come back at a time of its own, waits for that, and closes what is left. */
  async drain(): Promise<void> {
    this.#draining = true;
    const spreadMs = Math.min(this.#options.drainMs, 200 + this.#connections.size * 3);
    const now = performance.now();
    for (const connection of this.#connections) {
      const reconnect_after_ms = Math.round(Math.random() * spreadMs);
      connection.write(encodeMessage(connection.format, { type: 'goaway', reconnect_after_ms }), now);
    }
    while (this.#connections.size > 0 && performance.now() - now < spreadMs + 300) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const connection of this.#connections) this.#session.close(connection, 1012, 'server.unavailable');
  }

  stop(): Promise<void> {
    clearInterval(this.#sweepTimer);
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    for (const connection of this.#connections) this.#session.close(connection, 1012, 'server.unavailable');
    this.#delivery.stop();
    this.#followers.stop();
    return Promise.resolve();
  }

  /** Figures for `/metrics`. */
  stats() {
    const now = performance.now();
    const staleness = Array.from(this.#connections, ({ flow }) => stalenessMs(flow, now)).sort(
      (a, b) => a - b,
    );
    const subscriptions = Array.from(this.#connections, (connection) => connection.subscriptions.size);
    return {
      ...this.#delivery.stats,
      viewers: this.#connections.size,
      followers: this.#followers.size,
      subscriptions: subscriptions.reduce((sum, count) => sum + count, 0),
      views: this.#views.size,
      cohorts: this.#delivery.cohorts,
      stalenessP99Ms: staleness[Math.floor(staleness.length * 0.99)] ?? 0,
      stalenessMaxMs: staleness.at(-1) ?? 0,
    };
  }
}

function accessEnded(): AppError {
  return appError('auth.revoked', 'your access has ended; sign in again');
}

const sseHeartbeat = Buffer.from(': heartbeat\n\n');
/** How long a refused peer may take to read why. */
const refusalLingerMs = 2000;

/** Answers an upgrade that is not granted. */
function refuse(socket: Socket, thrown: unknown): void {
  const error = publicError(thrown);
  const body = JSON.stringify(errorBody(error));
  // An upgraded socket is out of the server's hands, time limits too: a peer that keeps its half open would keep it all.
  socket.resume();
  setTimeout(() => socket.destroy(), refusalLingerMs).unref();
  socket.end(
    [
      `HTTP/1.1 ${errorStatus(error)} Refused`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
