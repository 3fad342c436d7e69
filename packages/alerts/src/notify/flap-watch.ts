import type { RuleContent } from '@nowcast/contract';
import type { AlertRow, AlertStore, Told } from '@nowcast/ports';
import { durationOf } from './decide-news.ts';

export type Flapping = 'calm' | 'begins' | 'goes_on';

/** More changes than these within the time are flapping. */
export interface FlapLimit {
  changes: number;
  withinMs: number;
}

interface Run {
  /** When it fired, epoch ms, as far back as counts. */
  fired: number[];
  lastChange: number;
  flapping: boolean;
  withinMs: number;
  answer: Flapping;
  /** Who heard of the alert before: who was told that it flaps hears when it is over. */
  told: Told;
  /** Of the alert with which it began: what was said of that one is what is over in the end. */
  tag: string;
  /** Whether it was said that it flaps: one that began while something kept it quiet begins again. */
  said: boolean;
}

export function flapLimit({ flap: { changes, within } }: RuleContent): FlapLimit {
  return { changes, withinMs: durationOf(within) };
}

/** Alerts of a rule that are read at a start. */
const changesRead = 10_000;
const forgetEveryMs = 60_000;
const nobody: Told = { userIds: [], channelIds: [] };

/**
 * Remembers how often each group fired lately. Every change opens an alert of its own, so that none of their rows can
 * tell; all of them together can, and after a start they do.
 */
export class FlapWatch {
  readonly #runs = new Map<string, Run>();
  #forgottenAt = Number.NEGATIVE_INFINITY;

  /** Takes over what the stored alerts say: once, before anything is decided. */
  async load({ rules, alerts }: Pick<AlertStore, 'rules' | 'alerts'>, now: number): Promise<void> {
    for (const { tenantId, ruleId, content } of await rules.listAll()) {
      const { withinMs } = flapLimit(content);
      this.#take(await alerts.changedSince(tenantId, ruleId, now - withinMs, changesRead), withinMs);
    }
  }

  #take(alerts: readonly AlertRow[], withinMs: number): void {
    for (const [key, own] of Map.groupBy(alerts, flapKey)) {
      const sorted = own.toSorted((a, b) => (a.firedAt ?? 0) - (b.firedAt ?? 0));
      const fired = sorted.flatMap(({ firedAt }) => firedAt ?? []);
      const newest = sorted.at(-1);
      if (newest === undefined || fired.length === 0) continue;
      const lastChange = Math.max(...own.map(({ firedAt, resolvedAt }) => resolvedAt ?? firedAt ?? 0));
      const { flapping, told, tag } = newest;
      this.#runs.set(key, {
        fired,
        lastChange,
        flapping,
        withinMs,
        told,
        tag,
        said: flapping && own.some((one) => one.flapping && one.notifiedAt !== undefined),
        answer: flapping ? 'goes_on' : 'calm',
      });
    }
  }

  /** The same firing again, when storing it is tried again, has the same answer. */
  fired(alert: AlertRow, at: number, { changes, withinMs }: FlapLimit): Flapping {
    this.#forget(at);
    const key = flapKey(alert);
    const before = this.#runs.get(key);
    if (before?.fired.at(-1) === at) return before.answer;
    const fired = [...(before?.fired ?? []).filter((time) => time > at - withinMs), at];
    const goesOn = before?.flapping === true && at - before.lastChange < withinMs;
    const flapping = goesOn || 2 * fired.length - 1 > changes;
    const begun = flapping ? 'begins' : 'calm';
    const said = goesOn && before.said;
    const answer = said ? 'goes_on' : begun;
    const told = before?.told ?? nobody;
    const tag = said ? before.tag : alert.tag;
    this.#runs.set(key, { fired, lastChange: at, flapping, withinMs, answer, told, tag, said });
    return answer;
  }

  resolved(alert: AlertRow, at: number): void {
    const run = this.#runs.get(flapKey(alert));
    if (run === undefined) return;
    // It has fired for so long that it was an ordinary alert again, and was said.
    if (at - run.lastChange >= run.withinMs) run.flapping = false;
    run.lastChange = at;
  }

  /** Who was told of this group's last alert, and under which tag. */
  saidOf(alert: AlertRow): Pick<AlertRow, 'told' | 'tag'> {
    const { told, tag } = this.#runs.get(flapKey(alert)) ?? { told: nobody, tag: alert.tag };
    return { told, tag };
  }

  noteTold(alert: AlertRow): void {
    const run = this.#runs.get(flapKey(alert));
    if (run === undefined) return;
    run.told = alert.told;
    if (alert.flapping) run.said = true;
  }

  changedSince(alert: AlertRow, time: number): boolean {
    return (this.#runs.get(flapKey(alert))?.lastChange ?? 0) > time;
  }

  /** Groups that have been calm for long need no memory: it is looked for where others take theirs. */
  #forget(now: number): void {
    if (now - this.#forgottenAt < forgetEveryMs) return;
    this.#forgottenAt = now;
    for (const [key, run] of this.#runs) if (now - run.lastChange > run.withinMs) this.#runs.delete(key);
  }
}

/** Whose changes are counted together. */
export function flapKey({ tenantId, ruleId, labels }: AlertRow): string {
  return JSON.stringify([tenantId, ruleId, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
