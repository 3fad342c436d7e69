import { type UpMessage, errorRegistry } from '@nowcast/contract';

/**
 * The life of the live socket as a pure state machine (SPEC.md).
 *
 * The obvious client, callbacks on a WebSocket with a few booleans, breaks where events cross: a close that arrives
 * after the next socket was opened, a token that expires while waiting, a pause while connecting, a laptop that slept
 * through its timers. Here every pair of phase and event has a cell in one table; a missing cell does not compile.
 * `step` computes, the shell in live-client.ts executes: sockets, timers, randomness and clocks live there.
 *
 *     idle ─connect─► connecting ─opened─► authenticating ─welcomed─► live ◄─pause/resume─► paused
 *                        ▲  │ lost, timeout       │ lost, timeout       │ lost, silence, goaway
 *                        │  ▼                     ▼                     ▼
 *                     waiting ◄───────────────────┴─────────────────────┘     a final close code ─► refused
 */
export type Phase =
  | 'idle'
  | 'connecting'
  | 'authenticating'
  | 'live'
  | 'paused'
  | 'waiting'
  | 'refused'
  | 'closed';

export type ConnectionEvent =
  | { type: 'connect' }
  | { type: 'authenticate'; token: string }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'close' }
  /** The socket is open. */
  | { type: 'opened' }
  | { type: 'welcomed'; heartbeatMs: number }
  | { type: 'goaway'; delayMs: number }
  /** The socket closed without our doing. */
  | { type: 'lost'; code: number; reason: string }
  /** The server sent what cannot be read. */
  | { type: 'malformed' }
  /** The timer of the phase; `silentMs`: how long nothing was received. */
  | { type: 'timeout'; silentMs: number }
  | { type: 'goawayDue' }
  | { type: 'offline' }
  | { type: 'online'; silentMs: number }
  | { type: 'visible'; silentMs: number };

export type ConnectionEffect =
  | { do: 'open' }
  /** Detach from the socket, so that nothing of it is heard any more, and close it. */
  | { do: 'drop'; code: number }
  | { do: 'send'; message: UpMessage }
  /** Start the timer of the phase in place of the one that runs. Jitter: after a random part of the delay. */
  | { do: 'arm'; delayMs: number; jitter: boolean }
  | { do: 'disarm' }
  | { do: 'armGoaway'; delayMs: number }
  | { do: 'disarmGoaway' }
  /** Tells the subscriptions that they can, or can no longer, send. */
  | { do: 'link'; up: boolean };

export interface Connection {
  readonly phase: Phase;
  readonly token: string | undefined;
  /** What the user wants; `phase` says what the server was told. */
  readonly paused: boolean;
  /** Failed tries since the last connection that held. */
  readonly attempt: number;
  readonly heartbeatMs: number;
  /** Monotonic time of the last welcome; undefined when this socket had none. */
  readonly welcomedAtMs: number | undefined;
  /** Monotonic time at which the server asked us to come back. */
  readonly goawayAtMs: number | undefined;
  readonly offline: boolean;
  /** Why the server refused us. */
  readonly refusal: { code: number; reason: string } | undefined;
}

export interface ConnectionStep {
  readonly next: Connection;
  readonly effects: readonly ConnectionEffect[];
}

/** Times of the machine, ms. */
export const connectionTimes = {
  connectMs: 10_000,
  /** The server gives 5 s to authenticate and closes; this is for a server that says nothing. */
  welcomeMs: 10_000,
  heartbeatMs: 15_000,
  /** A heartbeat is as late as the network and the server's timers make it. */
  heartbeatGraceMs: 2_000,
  backoffBaseMs: 1_000,
  backoffMaxMs: 30_000,
  /** A connection that held this long was a good one: the next backoff starts anew. */
  stableMs: 10_000,
} as const;

/** Close codes after which the same client would be refused again. 1009: a message of ours was too large. */
const finalCloseCodes = new Set<number>([
  1009,
  ...Object.values(errorRegistry).flatMap((entry) =>
    'close' in entry && !entry.retryable ? [entry.close] : [],
  ),
]);

export function newConnection(token: string | undefined): Connection {
  return {
    phase: 'idle',
    token,
    paused: false,
    attempt: 0,
    heartbeatMs: connectionTimes.heartbeatMs,
    welcomedAtMs: undefined,
    goawayAtMs: undefined,
    offline: false,
    refusal: undefined,
  };
}

type Handler<T extends ConnectionEvent['type']> = (
  machine: Connection,
  event: Extract<ConnectionEvent, { type: T }>,
  nowMs: number,
) => ConnectionStep;
type Row = { readonly [T in ConnectionEvent['type']]: Handler<T> };

const stay = (machine: Connection): ConnectionStep => ({ next: machine, effects: [] });
const keepToken: Handler<'authenticate'> = (machine, { token }) => stay({ ...machine, token });
const wantPause = (machine: Connection): ConnectionStep => stay({ ...machine, paused: true });
const wantResume = (machine: Connection): ConnectionStep => stay({ ...machine, paused: false });
const noteOffline = (machine: Connection): ConnectionStep => stay({ ...machine, offline: true });
const noteOnline = (machine: Connection): ConnectionStep => stay({ ...machine, offline: false });

function connecting(machine: Connection, before: readonly ConnectionEffect[] = []): ConnectionStep {
  return {
    next: {
      ...machine,
      phase: 'connecting',
      welcomedAtMs: undefined,
      goawayAtMs: undefined,
      refusal: undefined,
    },
    effects: [
      ...before,
      { do: 'disarmGoaway' },
      { do: 'open' },
      { do: 'arm', delayMs: connectionTimes.connectMs, jitter: false },
    ],
  };
}

/** Waits before the next try: what the server asked for, else full jitter over a doubling cap. */
function retry(machine: Connection, nowMs: number, before: readonly ConnectionEffect[] = []): ConnectionStep {
  const { welcomedAtMs, goawayAtMs } = machine;
  const held = welcomedAtMs !== undefined && nowMs - welcomedAtMs >= connectionTimes.stableMs;
  const attempt = held ? 0 : machine.attempt;
  const { backoffBaseMs, backoffMaxMs } = connectionTimes;
  const wait: ConnectionEffect =
    goawayAtMs === undefined
      ? {
          do: 'arm',
          delayMs: Math.min(backoffMaxMs, backoffBaseMs * 2 ** Math.min(attempt, 16)),
          jitter: true,
        }
      : { do: 'arm', delayMs: Math.max(0, goawayAtMs - nowMs), jitter: false };
  return {
    next: {
      ...machine,
      phase: 'waiting',
      attempt: attempt + 1,
      welcomedAtMs: undefined,
      goawayAtMs: undefined,
    },
    effects: [...before, { do: 'disarmGoaway' }, wait],
  };
}

function lost(
  machine: Connection,
  event: { code: number; reason: string },
  nowMs: number,
  before: readonly ConnectionEffect[] = [],
): ConnectionStep {
  if (!finalCloseCodes.has(event.code)) return retry(machine, nowMs, before);
  const refusal = { code: event.code, reason: event.reason };
  return {
    next: {
      ...machine,
      phase: 'refused',
      attempt: 0,
      welcomedAtMs: undefined,
      goawayAtMs: undefined,
      refusal,
    },
    effects: [...before, { do: 'disarm' }, { do: 'disarmGoaway' }],
  };
}

const drop = (code: number): ConnectionEffect => ({ do: 'drop', code });
const linkDown: ConnectionEffect = { do: 'link', up: false };

function close(machine: Connection, before: readonly ConnectionEffect[]): ConnectionStep {
  return {
    next: { ...machine, phase: 'closed', goawayAtMs: undefined },
    effects: [...before, { do: 'disarm' }, { do: 'disarmGoaway' }],
  };
}

function sendAuth(machine: Connection, token: string): ConnectionStep {
  return { next: { ...machine, token }, effects: [{ do: 'send', message: { type: 'auth', token } }] };
}

function goaway(machine: Connection, delayMs: number, nowMs: number): ConnectionStep {
  const bounded = Math.min(Math.max(0, delayMs), connectionTimes.backoffMaxMs * 10);
  return {
    next: { ...machine, goawayAtMs: nowMs + bounded },
    effects: [{ do: 'armGoaway', delayMs: bounded }],
  };
}

/** First welcome of a socket. A pause that was wished for earlier goes out before any subscription. */
function welcomed(machine: Connection, heartbeatMs: number, nowMs: number): ConnectionStep {
  const pause: ConnectionEffect[] = machine.paused
    ? [{ do: 'send', message: { type: 'pause', paused: true } }]
    : [];
  return {
    next: { ...machine, phase: machine.paused ? 'paused' : 'live', heartbeatMs, welcomedAtMs: nowMs },
    effects: [{ do: 'arm', delayMs: 2 * heartbeatMs, jitter: false }, ...pause, { do: 'link', up: true }],
  };
}

/** Two heartbeats were missed: nobody is there. */
const longestSilenceMs = (heartbeatMs: number): number => 2 * heartbeatMs + connectionTimes.heartbeatGraceMs;

const reconnectNow = (machine: Connection): ConnectionStep => connecting(machine, [linkDown, drop(4000)]);

/** Watchdog: looks again when the silence could be long enough, instead of a timer restarted at every message. */
function watch(machine: Connection, silentMs: number, nowMs: number): ConnectionStep {
  const leftMs = longestSilenceMs(machine.heartbeatMs) - silentMs;
  if (leftMs <= 0) return retry(machine, nowMs, [linkDown, drop(4000)]);
  return { next: machine, effects: [{ do: 'arm', delayMs: leftMs, jitter: false }] };
}

/** Cells that an open, welcomed socket has whether it flows or is paused. */
const welcomedRow = {
  connect: stay,
  authenticate: (machine, { token }) => sendAuth(machine, token),
  close: (machine) => close(machine, [linkDown, drop(1000)]),
  opened: stay,
  welcomed: (machine, { heartbeatMs }) => stay({ ...machine, heartbeatMs }),
  goaway: (machine, { delayMs }, nowMs) => goaway(machine, delayMs, nowMs),
  lost: (machine, event, nowMs) => lost(machine, event, nowMs, [linkDown]),
  malformed: (machine, _event, nowMs) => retry(machine, nowMs, [linkDown, drop(4400)]),
  timeout: (machine, { silentMs }, nowMs) => watch(machine, silentMs, nowMs),
  goawayDue: reconnectNow,
  offline: noteOffline,
  // The network changed under the socket: it may look open for half a minute. One resumed frame is cheaper.
  online: (machine, { silentMs }) =>
    machine.offline || silentMs > machine.heartbeatMs
      ? reconnectNow({ ...machine, offline: false })
      : stay(machine),
  // Back from sleep, where timers stood still.
  visible: (machine, { silentMs }) =>
    silentMs >= longestSilenceMs(machine.heartbeatMs) ? reconnectNow(machine) : stay(machine),
} satisfies Partial<Row>;

const table: { readonly [P in Phase]: Row } = {
  idle: {
    connect: (machine) => connecting(machine),
    authenticate: keepToken,
    pause: wantPause,
    resume: wantResume,
    close: (machine) => close(machine, []),
    opened: stay,
    welcomed: stay,
    goaway: stay,
    lost: stay,
    malformed: stay,
    timeout: stay,
    goawayDue: stay,
    offline: noteOffline,
    online: noteOnline,
    visible: stay,
  },
  connecting: {
    connect: stay,
    authenticate: keepToken,
    pause: wantPause,
    resume: wantResume,
    close: (machine) => close(machine, [drop(1000)]),
    opened: (machine) => ({
      next: { ...machine, phase: 'authenticating' },
      effects: [
        { do: 'arm', delayMs: connectionTimes.welcomeMs, jitter: false },
        ...(machine.token === undefined ? [] : sendAuth(machine, machine.token).effects),
      ],
    }),
    welcomed: stay,
    goaway: stay,
    lost: (machine, event, nowMs) => lost(machine, event, nowMs),
    malformed: stay,
    timeout: (machine, _event, nowMs) => retry(machine, nowMs, [drop(4000)]),
    goawayDue: stay,
    offline: noteOffline,
    online: noteOnline,
    visible: stay,
  },
  authenticating: {
    connect: stay,
    authenticate: (machine, { token }) => sendAuth(machine, token),
    pause: wantPause,
    resume: wantResume,
    close: (machine) => close(machine, [drop(1000)]),
    opened: stay,
    welcomed: (machine, { heartbeatMs }, nowMs) => welcomed(machine, heartbeatMs, nowMs),
    goaway: (machine, { delayMs }, nowMs) => goaway(machine, delayMs, nowMs),
    lost: (machine, event, nowMs) => lost(machine, event, nowMs),
    malformed: (machine, _event, nowMs) => retry(machine, nowMs, [drop(4400)]),
    timeout: (machine, _event, nowMs) => retry(machine, nowMs, [drop(4000)]),
    goawayDue: (machine) => connecting(machine, [drop(4000)]),
    offline: noteOffline,
    online: noteOnline,
    visible: stay,
  },
  live: {
    ...welcomedRow,
    pause: (machine) => ({
      next: { ...machine, phase: 'paused', paused: true },
      effects: [{ do: 'send', message: { type: 'pause', paused: true } }],
    }),
    resume: stay,
  },
  paused: {
    ...welcomedRow,
    pause: stay,
    resume: (machine) => ({
      next: { ...machine, phase: 'live', paused: false },
      effects: [{ do: 'send', message: { type: 'pause', paused: false } }],
    }),
  },
  waiting: {
    connect: (machine) => connecting(machine),
    authenticate: (machine, { token }) => connecting({ ...machine, token }),
    pause: wantPause,
    resume: wantResume,
    close: (machine) => close(machine, []),
    opened: stay,
    welcomed: stay,
    goaway: stay,
    lost: stay,
    malformed: stay,
    timeout: (machine) => connecting(machine),
    goawayDue: stay,
    // `navigator.onLine` is wrong about servers on this machine: the tries go on.
    offline: noteOffline,
    online: (machine) => connecting({ ...machine, offline: false }),
    visible: (machine) => connecting(machine),
  },
  refused: {
    connect: (machine) => connecting(machine),
    authenticate: (machine, { token }) => connecting({ ...machine, token }),
    pause: wantPause,
    resume: wantResume,
    close: (machine) => close(machine, []),
    opened: stay,
    welcomed: stay,
    goaway: stay,
    lost: stay,
    malformed: stay,
    timeout: stay,
    goawayDue: stay,
    offline: noteOffline,
    online: noteOnline,
    visible: stay,
  },
  closed: {
    connect: stay,
    authenticate: stay,
    pause: stay,
    resume: stay,
    close: stay,
    opened: stay,
    welcomed: stay,
    goaway: stay,
    lost: stay,
    malformed: stay,
    timeout: stay,
    goawayDue: stay,
    offline: stay,
    online: stay,
    visible: stay,
  },
};

/** One transition. `nowMs` is monotonic. */
export function stepConnection(machine: Connection, event: ConnectionEvent, nowMs: number): ConnectionStep {
  // The row's cell for `event.type` takes exactly this event; TypeScript cannot relate the two lookups.
  const cell = table[machine.phase][event.type] as Handler<ConnectionEvent['type']>;
  return cell(machine, event, nowMs);
}
