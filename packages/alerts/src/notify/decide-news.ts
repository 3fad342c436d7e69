import { labelOf, type Notify, parseDuration, type RuleContent, type Target } from '@nowcast/contract';
import type { AlertRow, NewInboxEntry } from '@nowcast/ports';
import type { Mute, MuteOf } from './mutes.ts';

/** Something that is to be said about one alert, now. */
export interface News {
  alert: AlertRow;
  kind: NewInboxEntry['kind'];
  targets: readonly Target[];
  /** It is to be kept from people; programs that keep a state of it hear it all the same. */
  muted?: boolean;
  /** Why it is over without being known to be well, in words: “it fired until …”. */
  until?: string | undefined;
}

/** An alert as it is after a look at it, and what is to be said. */
export interface Verdict {
  alert: AlertRow;
  news: News | undefined;
}

/**
 * One look at one alert that is not over: is it muted, is something to be said now, and when must it be looked at
 * again. Pure in the row, the rule, what mutes it and the time; a look too many changes nothing.
 */
export function look(
  before: AlertRow,
  rule: RuleContent | undefined,
  mute: Mute | undefined,
  now: number,
): Verdict {
  const looked = { ...before, mutedBy: mute?.reason, dueAt: undefined };
  const alert = mute === undefined ? awake(looked, before.mutedBy !== undefined, now) : looked;
  if (alert.state === 'pending' || rule === undefined) return { alert, news: undefined };
  if (mute !== undefined) return { alert: { ...alert, dueAt: mute.until }, news: undefined };
  if (alert.flapping) return lookFlapping(alert, rule, now);
  if (alert.state !== 'firing') return { alert, news: undefined };
  return lookFiring(alert, rule.notify, now);
}

/**
 * Nothing keeps it quiet. After something did, whoever is told next has as long as ever; a snooze that ended is forgotten,
 * and what it kept quiet is said at once: as if nobody had been told yet.
 */
function awake(quiet: AlertRow, wasMuted: boolean, now: number): AlertRow {
  const alert = wasMuted ? { ...quiet, escalatesFrom: now } : quiet;
  if (alert.snoozedUntil === undefined || alert.snoozedUntil > now) return alert;
  // A flapping one was said as that, and its end is to be said too.
  const isNews = alert.state === 'firing' && !alert.flapping;
  const notifiedAt = isNews ? undefined : alert.notifiedAt;
  return { ...alert, snoozedUntil: undefined, notifiedAt };
}

function lookFiring(alert: AlertRow, notify: Notify, now: number): Verdict {
  const firedAt = alert.firedAt ?? now;
  if (alert.notifiedAt === undefined) {
    const due = firedAt + durationOf(notify.group_wait);
    if (due > now) return { alert: { ...alert, dueAt: due }, news: undefined };
    const told = { ...alert, notifiedAt: now, escalatesFrom: now };
    return said({ ...told, dueAt: nextDue(told, notify) }, 'firing', notify.targets);
  }
  const next = nextStep(alert, notify);
  if (next !== undefined && next.at <= now) {
    // One that comes late puts off those after it: no chain is told all at once.
    const escalatesFrom = now - durationOf(next.step.after);
    const escalated = { ...alert, escalated: alert.escalated + 1, escalatesFrom };
    return said({ ...escalated, dueAt: nextDue(escalated, notify) }, 'escalated', next.step.targets);
  }
  if (notify.repeat !== undefined && alert.notifiedAt + durationOf(notify.repeat) <= now) {
    const repeated = { ...alert, notifiedAt: now };
    return said({ ...repeated, dueAt: nextDue(repeated, notify) }, 'repeated', toldTargets(alert, notify));
  }
  return { alert: { ...alert, dueAt: nextDue(alert, notify) }, news: undefined };
}

/** It is said once that it flaps. When it has fired without a change for so long, it is an ordinary alert again, and is said. */
function lookFlapping(alert: AlertRow, rule: RuleContent, now: number): Verdict {
  const calmAt = (alert.firedAt ?? now) + durationOf(rule.flap.within);
  if (now < calmAt) {
    const flaps = { ...alert, dueAt: calmAt };
    // Nobody knows of it where something kept it quiet until now.
    if (alert.state !== 'firing' || alert.notifiedAt !== undefined) return { alert: flaps, news: undefined };
    return said({ ...flaps, notifiedAt: now }, 'flapping', toldTargets(alert, rule.notify));
  }
  const calm = { ...alert, flapping: false, dueAt: undefined };
  if (calm.state !== 'firing') return { alert: calm, news: undefined };
  return lookFiring({ ...calm, notifiedAt: undefined }, rule.notify, now);
}

function nextDue(alert: AlertRow, notify: Notify): number | undefined {
  const times = [
    nextStep(alert, notify)?.at ?? Infinity,
    notify.repeat === undefined ? Infinity : (alert.notifiedAt ?? 0) + durationOf(notify.repeat),
  ];
  const due = Math.min(...times);
  return due === Infinity ? undefined : due;
}

function nextStep({ escalated, escalatesFrom, firedAt }: AlertRow, { escalate }: Notify) {
  const step = escalate[escalated];
  return step && { step, at: (escalatesFrom ?? firedAt ?? 0) + durationOf(step.after) };
}

function said(alert: AlertRow, kind: News['kind'], targets: readonly Target[]): Verdict {
  return { alert, news: { alert, kind, targets } };
}

/** Everybody who has heard of it so far. */
export function toldTargets({ escalated }: AlertRow, notify: Notify): Target[] {
  return [...notify.targets, ...notify.escalate.slice(0, escalated).flatMap(({ targets }) => targets)];
}

/**
 * It is over: said to those who were told, of whom a silence or maintenance leaves programs alone. A flapping one is said
 * to be over only once it has been calm: it is due again then.
 */
export function lookResolved(
  before: AlertRow,
  rule: RuleContent | undefined,
  muteOf: MuteOf,
  until?: string,
): Verdict {
  if (rule === undefined || before.notifiedAt === undefined || !rule.notify.resolved)
    return { alert: before, news: undefined };
  if (before.flapping) {
    const dueAt = (before.resolvedAt ?? 0) + durationOf(rule.flap.within);
    return { alert: { ...before, dueAt }, news: undefined };
  }
  const mute = muteOf(before);
  const { alert, news } = said(before, 'resolved', toldTargets(before, rule.notify));
  const muted = mute?.by === 'silence' || mute?.by === 'maintenance';
  return { alert, news: news && { ...news, muted, until } };
}

/** `0s` is no duration for others; here it means at once. */
export function durationOf(text: string): number {
  return /^0+(\.0+)?[a-z]+$/.test(text) ? 0 : parseDuration(text);
}

/**
 * News that belong together become one: of one rule, one kind, and equal values of the labels it groups by. Alerts that
 * still wait for their group are taken along when the first of them is said.
 */
export function grouped(
  news: readonly News[],
  rules: ReadonlyMap<string, { content: RuleContent }>,
): News[][] {
  const groups = new Map<string, News[]>();
  for (const one of news) {
    const key = JSON.stringify([
      one.kind,
      one.alert.escalated,
      one.kind === 'resolved' ? one.alert.told : undefined,
      one.muted,
      groupKey(one.alert, rules.get(one.alert.ruleId)?.content),
    ]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

export function groupKey(alert: AlertRow, rule: RuleContent | undefined): string {
  const names = rule?.notify.group_by ?? [];
  return JSON.stringify([alert.ruleId, ...names.map((name) => labelOf(alert.labels, name))]);
}
