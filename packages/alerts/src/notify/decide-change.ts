import type { AlertEvent } from '@nowcast/contract';
import type { AlertRow, DecidedTransition, RuleRow } from '@nowcast/ports';
import { lifeStep } from './alert-life.ts';
import { groupKey, look, lookResolved, type News, type Verdict } from './decide-news.ts';
import { flapKey, flapLimit, type FlapWatch } from './flap-watch.ts';
import { type MuteOf, type MutePolicies, mutesAt } from './mutes.ts';

/** All that decides what follows in a tenant, read before. */
export interface TenantState {
  rules: ReadonlyMap<string, RuleRow>;
  policies: MutePolicies;
  /** Alerts that are not over, by id. */
  active: ReadonlyMap<string, AlertRow>;
}

export interface Happened {
  transitions?: readonly DecidedTransition[];
  /** Rows as an act of a person has left them. */
  acted?: readonly AlertRow[];
  /** Why those of them are over that are, in words: `News.until`. */
  until?: string;
  /** Flapping alerts that are over and may have been calm for long enough, or of which nobody waits for that. */
  calmed?: readonly Calmed[];
}

export interface Calmed {
  alert: AlertRow;
  /** Why it is over, where it is not known to be well, in words: `News.until`. */
  until: string | undefined;
}

export type NewEvent = AlertEvent & { tenantId: string; alertId: string };

/** What must be stored, and what is to be said. */
export interface Decided {
  alerts: AlertRow[];
  events: NewEvent[];
  news: News[];
}

/**
 * Everything that follows in a tenant from what happened, at one moment: transitions change rows, then every alert is
 * looked at, since one that fires or ends can keep others quiet or let them speak. `flaps` is the only memory it moves.
 */
export function decideChange(state: TenantState, happened: Happened, flaps: FlapWatch, now: number): Decided {
  const step = new Deciding(state, flaps, now);
  for (const alert of happened.acted ?? []) step.act(alert, happened.until);
  for (const transition of happened.transitions ?? []) step.transition(transition);
  step.lookAtAll();
  step.calm(happened.calmed ?? []);
  return step.decided();
}

class Deciding {
  readonly #state: TenantState;
  readonly #flaps: FlapWatch;
  readonly #now: number;
  readonly #active: Map<string, AlertRow>;
  readonly #over = new Map<string, AlertRow>();
  readonly #events: NewEvent[] = [];
  readonly #news: News[] = [];
  /** Why alerts are over that are not known to be well, by id. */
  readonly #until = new Map<string, string>();

  constructor(state: TenantState, flaps: FlapWatch, now: number) {
    this.#state = state;
    this.#flaps = flaps;
    this.#now = now;
    this.#active = new Map(state.active);
  }

  put(alert: AlertRow): void {
    if (alert.state === 'resolved') {
      this.#active.delete(alert.alertId);
      this.#over.set(alert.alertId, alert);
    } else {
      this.#active.set(alert.alertId, alert);
    }
  }

  act(alert: AlertRow, until: string | undefined): void {
    if (until !== undefined) this.#until.set(alert.alertId, until);
    this.put(alert);
  }

  transition(transition: DecidedTransition): void {
    const id = transition.alert_id;
    const rule = this.#state.rules.get(transition.rule_id);
    const before = this.#active.get(id) ?? this.#over.get(id);
    const step = lifeStep(before, transition, rule);
    if (step === undefined) return;
    let { alert } = step;
    if (step.until !== undefined) this.#until.set(id, step.until);
    this.#event(alert, step.event);
    // What only was pending has not changed for anybody.
    if (alert.state === 'resolved') {
      if (alert.firedAt !== undefined) this.#flaps.resolved(alert, transition.at);
    } else if (alert.firedAt !== undefined && before?.firedAt === undefined && rule !== undefined)
      alert = this.#flapped(alert, rule, transition.at);
    this.put(alert);
  }

  #flapped(alert: AlertRow, { content }: RuleRow, at: number): AlertRow {
    switch (this.#flaps.fired(alert, at, flapLimit(content))) {
      case 'begins':
        this.#event(alert, { at, kind: 'flapping', note: '', value: null });
        return { ...alert, flapping: true };
      case 'goes_on':
        return { ...alert, flapping: true, notifiedAt: this.#now, ...this.#flaps.saidOf(alert) };
      default:
        return alert;
    }
  }

  lookAtAll(): void {
    const { rules, policies } = this.#state;
    const muteOf = mutesAt(policies, this.#active.values(), rules, this.#now);
    const waiting: AlertRow[] = [];
    for (const alert of this.#active.values()) {
      const verdict = look(alert, rules.get(alert.ruleId)?.content, muteOf(alert), this.#now);
      this.#take(verdict);
      if (verdict.news === undefined && isWaiting(verdict.alert)) waiting.push(verdict.alert);
    }
    this.#takeAlong(waiting);
    for (const alert of this.#over.values()) this.#end(alert, muteOf);
  }

  /** A group is said to be over once, by its last alert, now that it is calm; unless it has changed again since. */
  calm(calmed: readonly Calmed[]): void {
    const over = calmed.map(({ alert }) => ({ ...alert, flapping: false, dueAt: undefined }));
    for (const { alert, until } of calmed) if (until !== undefined) this.#until.set(alert.alertId, until);
    const endOf = ({ resolvedAt }: AlertRow): number => resolvedAt ?? 0;
    const last = new Map(
      over.toSorted((a, b) => endOf(a) - endOf(b)).map((alert) => [flapKey(alert), alert]),
    );
    const fired = [...this.#active.values()].filter(({ firedAt }) => firedAt !== undefined);
    const open = new Set(fired.map(flapKey));
    const muteOf = mutesAt(this.#state.policies, this.#active.values(), this.#state.rules, this.#now);
    for (const alert of over) {
      this.#over.set(alert.alertId, alert);
      const key = flapKey(alert);
      if (last.get(key) !== alert || open.has(key) || this.#flaps.changedSince(alert, endOf(alert))) continue;
      this.#end(alert, muteOf);
    }
  }

  decided(): Decided {
    const rows = [...this.#active.values(), ...this.#over.values()];
    const alerts = rows.filter((row) => !sameRow(this.#state.active.get(row.alertId), row));
    return { alerts, events: this.#events, news: this.#news };
  }

  #end(alert: AlertRow, muteOf: MuteOf): void {
    const rule = this.#state.rules.get(alert.ruleId)?.content;
    this.#take(lookResolved(alert, rule, muteOf, this.#until.get(alert.alertId)));
  }

  /** Alerts that wait for their group are said with the first of it. */
  #takeAlong(waiting: readonly AlertRow[]): void {
    const { rules } = this.#state;
    const key = (alert: AlertRow): string => groupKey(alert, rules.get(alert.ruleId)?.content);
    const said = new Set(this.#news.filter(({ kind }) => kind === 'firing').map(({ alert }) => key(alert)));
    for (const alert of waiting.filter((one) => said.has(key(one)))) {
      const rule = rules.get(alert.ruleId)?.content;
      if (rule === undefined) continue;
      const hurried = { ...rule, notify: { ...rule.notify, group_wait: '0s' } };
      this.#take(look(alert, hurried, undefined, this.#now));
    }
  }

  #take({ alert, news }: Verdict): void {
    const before = this.#state.active.get(alert.alertId);
    if (alert.mutedBy !== undefined && alert.mutedBy !== before?.mutedBy && alert.state !== 'pending')
      this.#event(alert, { at: this.#now, kind: 'muted', note: alert.mutedBy, value: alert.value ?? null });
    if (news !== undefined) {
      this.#news.push(news);
      if (news.kind === 'escalated' || news.kind === 'repeated')
        this.#event(alert, { at: this.#now, kind: news.kind, note: '', value: alert.value ?? null });
    }
    this.put(alert);
  }

  #event(alert: AlertRow, event: Omit<AlertEvent, 'user_name'>): void {
    this.#events.push({ ...event, user_name: '', tenantId: alert.tenantId, alertId: alert.alertId });
  }
}

function isWaiting(alert: AlertRow): boolean {
  return (
    alert.state === 'firing' &&
    alert.notifiedAt === undefined &&
    alert.mutedBy === undefined &&
    !alert.flapping &&
    alert.dueAt !== undefined
  );
}

function sameRow(a: AlertRow | undefined, b: AlertRow): boolean {
  return a === b || (a !== undefined && JSON.stringify(a) === JSON.stringify(b));
}
