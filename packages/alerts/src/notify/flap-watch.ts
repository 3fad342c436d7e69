import type { AlertRow } from '@nowcast/ports';

export type Flapping = 'calm' | 'begins' | 'goes_on';

interface Run {
  /** When it fired, epoch ms, as far back as counts. */
  fired: number[];
  lastChange: number;
  flapping: boolean;
  withinMs: number;
  answer: Flapping;
}

/**
 * Remembers how often each group fired lately. Every change opens an alert of its own, so none of their rows can tell.
 * In memory alone: after a restart a group that still flaps is said once more.
 */
export class FlapWatch {
  readonly #runs = new Map<string, Run>();

  /** The same firing again, when storing it is tried again, has the same answer. */
  fired(alert: AlertRow, at: number, most: { changes: number; withinMs: number }): Flapping {
    const key = keyOf(alert);
    const before = this.#runs.get(key);
    if (before?.fired.at(-1) === at) return before.answer;
    const fired = [...(before?.fired ?? []).filter((time) => time > at - most.withinMs), at];
    const goesOn = before?.flapping === true && at - before.lastChange < most.withinMs;
    const flapping = goesOn || 2 * fired.length - 1 > most.changes;
    const begun = flapping ? 'begins' : 'calm';
    const answer = goesOn ? 'goes_on' : begun;
    this.#runs.set(key, { fired, lastChange: at, flapping, withinMs: most.withinMs, answer });
    return answer;
  }

  resolved(alert: AlertRow, at: number): void {
    const run = this.#runs.get(keyOf(alert));
    if (run !== undefined) run.lastChange = at;
  }

  changedSince(alert: AlertRow, time: number): boolean {
    return (this.#runs.get(keyOf(alert))?.lastChange ?? 0) > time;
  }

  /** Groups that have been calm for long need no memory. */
  forget(now: number): void {
    for (const [key, run] of this.#runs) if (now - run.lastChange > run.withinMs) this.#runs.delete(key);
  }
}

function keyOf({ tenantId, ruleId, labels }: AlertRow): string {
  return JSON.stringify([tenantId, ruleId, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
