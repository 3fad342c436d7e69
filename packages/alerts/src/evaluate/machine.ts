import type { ConditionState } from '@nowcast/contract';
import { unreachable } from '@nowcast/kernel';

/**
 * Life of one group of a rule, as far as data decides it: a pure function of what it was, whether its condition holds,
 * and the logged time. People's acts are elsewhere (they change who is told, never what is true), and so is the
 * hysteresis of a value (conditions.ts), which decides whether the condition holds. SPEC.md has the table in words.
 */
export interface MachineState {
  state: ConditionState;
  /** When the state was entered, logged ms. */
  since: number;
}

export interface Patience {
  /** How long the condition must hold before the group fires, ms. */
  forMs: number;
  /** How long a group goes on firing after its condition ended, ms. */
  keepMs: number;
}

type Step = (since: number, now: number, patience: Patience) => ConditionState;

/** Each state and each input has an answer, or this does not compile. */
const table: Readonly<Record<ConditionState, Readonly<Record<'holds' | 'ends', Step>>>> = {
  ok: {
    holds: (_since, _now, { forMs }) => (forMs > 0 ? 'pending' : 'firing'),
    ends: () => 'ok',
  },
  pending: {
    holds: (since, now, { forMs }) => (now - since >= forMs ? 'firing' : 'pending'),
    ends: () => 'ok',
  },
  firing: {
    holds: () => 'firing',
    ends: (_since, _now, { keepMs }) => (keepMs > 0 ? 'recovering' : 'ok'),
  },
  recovering: {
    holds: () => 'firing',
    ends: (since, now, { keepMs }) => (now - since >= keepMs ? 'ok' : 'recovering'),
  },
};

/** The next state; the same object when nothing changes. `now` never goes back. */
export function step(prev: MachineState, holds: boolean, now: number, patience: Patience): MachineState {
  const state = table[prev.state][holds ? 'holds' : 'ends'](prev.since, now, patience);
  return state === prev.state ? prev : { state, since: now };
}

/** When time alone will change the state; Infinity when only data can. */
export function dueAt({ state, since }: MachineState, { forMs, keepMs }: Patience): number {
  switch (state) {
    case 'pending':
      return since + forMs;
    case 'recovering':
      return since + keepMs;
    case 'ok':
    case 'firing':
      return Number.POSITIVE_INFINITY;
    default:
      return unreachable(state);
  }
}
