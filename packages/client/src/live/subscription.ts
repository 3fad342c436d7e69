/**
 * The life of one subscription as a pure state machine (SPEC.md). It outlives sockets: what it keeps is the query and
 * the position of the last frame that was handed to the user, which is all a server needs to continue.
 *
 *     unsent ─linkUp─► asked ─snapshot, delta─► flowing ─gap─► asked (from the last good position)
 *        ▲               │ refused, nonsense       │
 *        └── linkDown ───┴── retrying ◄────────────┘          refused for good ─► failed
 *
 * A delta proves by its base that nothing is missing. After a gap the subscription is asked for again under a new wire
 * id: frames of the old one may still be under way, and must not be taken for answers.
 */
export type SubscriptionPhase = 'unsent' | 'asked' | 'flowing' | 'retrying' | 'failed' | 'ended';

export interface Position {
  readonly epoch: string;
  readonly seq: string;
}

export interface SubscriptionMachine {
  readonly phase: SubscriptionPhase;
  readonly linked: boolean;
  /** What the user has been given; undefined: nothing that could be continued. */
  readonly position: Position | undefined;
  /** Failed answers in a row. */
  readonly attempt: number;
}

export type SubscriptionEvent =
  | { type: 'linkUp' }
  | { type: 'linkDown' }
  | { type: 'snapshot'; epoch: string; seq: string }
  | { type: 'delta'; baseSeq: string; seq: string }
  /** A notice about it: the server does not have it any more. */
  | { type: 'refused'; retryable: boolean }
  | { type: 'retryDue' }
  /** The user's handler threw: what it holds is unknown. */
  | { type: 'broken' }
  /** The query was replaced. */
  | { type: 'updated' }
  | { type: 'close' };

export type SubscriptionEffect =
  /** Subscribe under a new wire id, with the machine's position as `resume` if it has one. */
  | { do: 'ask' }
  /** Unsubscribe and forget the wire id. */
  | { do: 'withdraw' }
  /** Forget the wire id: the server already has. */
  | { do: 'forget' }
  /** Hand the frame to the user. Always the last effect: the user may call back. */
  | { do: 'deliver' }
  /** `retryDue` after the delay, or a random part of it. */
  | { do: 'arm'; delayMs: number; jitter: boolean }
  | { do: 'disarm' };

export interface SubscriptionStep {
  readonly next: SubscriptionMachine;
  readonly effects: readonly SubscriptionEffect[];
}

const retryBaseMs = 1_000;
const retryMaxMs = 30_000;
/** Longer than any query may take. The server answers every question; this heals the bug that it did not. */
const answerMs = 60_000;

export const newSubscription: SubscriptionMachine = {
  phase: 'unsent',
  linked: false,
  position: undefined,
  attempt: 0,
};

type Handler<T extends SubscriptionEvent['type']> = (
  machine: SubscriptionMachine,
  event: Extract<SubscriptionEvent, { type: T }>,
) => SubscriptionStep;
type Row = { readonly [T in SubscriptionEvent['type']]: Handler<T> };

const stay = (machine: SubscriptionMachine): SubscriptionStep => ({ next: machine, effects: [] });
const withdraw: SubscriptionEffect = { do: 'withdraw' };
const forget: SubscriptionEffect = { do: 'forget' };
const disarm: SubscriptionEffect = { do: 'disarm' };

function ask(machine: SubscriptionMachine, before: readonly SubscriptionEffect[] = []): SubscriptionStep {
  const effects: SubscriptionEffect[] = [
    ...before,
    { do: 'ask' },
    { do: 'arm', delayMs: answerMs, jitter: false },
  ];
  return { next: { ...machine, phase: 'asked' }, effects };
}

function retry(machine: SubscriptionMachine, before: readonly SubscriptionEffect[]): SubscriptionStep {
  const delayMs = Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(machine.attempt, 16));
  return {
    next: { ...machine, phase: 'retrying', attempt: machine.attempt + 1 },
    effects: [...before, { do: 'arm', delayMs, jitter: true }],
  };
}

function refused(machine: SubscriptionMachine, retryable: boolean): SubscriptionStep {
  if (retryable) return retry(machine, [forget]);
  return { next: { ...machine, phase: 'failed' }, effects: [disarm, forget] };
}

function unlink(machine: SubscriptionMachine, before: readonly SubscriptionEffect[]): SubscriptionStep {
  return { next: { ...machine, phase: 'unsent', linked: false }, effects: before };
}

function end(machine: SubscriptionMachine, before: readonly SubscriptionEffect[]): SubscriptionStep {
  return { next: { ...machine, phase: 'ended', position: undefined }, effects: before };
}

const acceptSnapshot: Handler<'snapshot'> = (machine, { epoch, seq }) => ({
  next: { ...machine, phase: 'flowing', position: { epoch, seq } },
  effects: [disarm, { do: 'deliver' }],
});

/** A delta that continues what the user has. */
function acceptDelta(machine: SubscriptionMachine, position: Position): SubscriptionStep {
  return {
    next: { ...machine, phase: 'flowing', position, attempt: 0 },
    effects: [disarm, { do: 'deliver' }],
  };
}

const continues = (
  machine: SubscriptionMachine,
  baseSeq: string,
): machine is SubscriptionMachine & { position: Position } => machine.position?.seq === baseSeq;

const startOver = (machine: SubscriptionMachine): SubscriptionMachine => ({
  ...machine,
  position: undefined,
});

const table: { readonly [P in SubscriptionPhase]: Row } = {
  unsent: {
    linkUp: (machine) => ask({ ...machine, linked: true }),
    linkDown: stay,
    snapshot: stay,
    delta: stay,
    refused: stay,
    retryDue: stay,
    broken: (machine) => stay(startOver(machine)),
    updated: (machine) => stay({ ...startOver(machine), attempt: 0 }),
    close: (machine) => end(machine, []),
  },
  asked: {
    linkUp: stay,
    linkDown: (machine) => unlink(machine, [disarm, forget]),
    snapshot: acceptSnapshot,
    // An answer that does not fit the question: start over, but not in a loop.
    delta: (machine, { baseSeq, seq }) =>
      continues(machine, baseSeq)
        ? acceptDelta(machine, { epoch: machine.position.epoch, seq })
        : retry(startOver(machine), [withdraw]),
    refused: (machine, { retryable }) => refused(machine, retryable),
    retryDue: (machine) => retry(machine, [withdraw]),
    broken: (machine) => retry(startOver(machine), [withdraw]),
    updated: (machine) => ask({ ...startOver(machine), attempt: 0 }, [withdraw]),
    close: (machine) => end(machine, [disarm, withdraw]),
  },
  flowing: {
    linkUp: stay,
    linkDown: (machine) => unlink(machine, [forget]),
    snapshot: acceptSnapshot,
    delta: (machine, { baseSeq, seq }) =>
      continues(machine, baseSeq)
        ? acceptDelta(machine, { epoch: machine.position.epoch, seq })
        : ask(machine, [withdraw]),
    refused: (machine, { retryable }) => refused(machine, retryable),
    retryDue: stay,
    broken: (machine) => retry(startOver(machine), [withdraw]),
    updated: (machine) => ask({ ...startOver(machine), attempt: 0 }, [withdraw]),
    close: (machine) => end(machine, [withdraw]),
  },
  retrying: {
    linkUp: stay,
    linkDown: (machine) => unlink(machine, [disarm]),
    snapshot: stay,
    delta: stay,
    refused: stay,
    retryDue: (machine) => ask(machine),
    broken: (machine) => stay(startOver(machine)),
    updated: (machine) => ask({ ...startOver(machine), attempt: 0 }, [disarm]),
    close: (machine) => end(machine, [disarm]),
  },
  failed: {
    // A new socket may mean new rights or a new server: asked once more, refused once more at worst.
    linkUp: (machine) => ask({ ...machine, linked: true }),
    linkDown: (machine) => stay({ ...machine, linked: false }),
    snapshot: stay,
    delta: stay,
    refused: stay,
    retryDue: stay,
    broken: stay,
    updated: (machine) => {
      const anew = { ...startOver(machine), attempt: 0 };
      return machine.linked ? ask(anew) : stay({ ...anew, phase: 'unsent' });
    },
    close: (machine) => end(machine, []),
  },
  ended: {
    linkUp: stay,
    linkDown: stay,
    snapshot: stay,
    delta: stay,
    refused: stay,
    retryDue: stay,
    broken: stay,
    updated: stay,
    close: stay,
  },
};

export function stepSubscription(machine: SubscriptionMachine, event: SubscriptionEvent): SubscriptionStep {
  // The row's cell for `event.type` takes exactly this event; TypeScript cannot relate the two lookups.
  const cell = table[machine.phase][event.type] as Handler<SubscriptionEvent['type']>;
  return cell(machine, event);
}
