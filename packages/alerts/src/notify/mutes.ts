import { labelOf, severities } from '@nowcast/contract';
import type { AlertRow, PolicyRow, RuleRow } from '@nowcast/ports';
import { type AlertTest, alertTest } from './alert-match.ts';
import { maintenanceUntil } from './maintenance.ts';

/** What keeps an alert quiet at a moment. */
export interface Mute {
  by: 'silence' | 'maintenance' | 'snooze' | 'inhibition';
  /** In words, for people. */
  reason: string;
  /** When time alone ends it; undefined: when another alert changes. */
  until: number | undefined;
}

export interface MutePolicies {
  silences: readonly PolicyRow<'silence'>[];
  maintenance: readonly PolicyRow<'maintenance'>[];
  inhibitions: readonly PolicyRow<'inhibition'>[];
}

export type MuteOf = (alert: AlertRow) => Mute | undefined;

/** Silences, maintenance and inhibition of a tenant at one moment, compiled once for all of its alerts. */
export function mutesAt(
  policies: MutePolicies,
  active: Iterable<AlertRow>,
  rules: ReadonlyMap<string, RuleRow>,
  now: number,
): MuteOf {
  const spans = [...silenceMutes(policies, now), ...maintenanceMutes(policies, now)];
  const firing = [...active].filter(({ state }) => state === 'firing' || state === 'acknowledged');
  const inhibits = [builtInInhibition(firing, rules), ...policies.inhibitions.map(inhibitionOf(firing))];
  return (alert) => {
    const span = spans
      .filter(({ test }) => test(alert))
      .sort((a, b) => (b.mute.until ?? 0) - (a.mute.until ?? 0))[0];
    if (span !== undefined) return span.mute;
    if (alert.snoozedUntil !== undefined && alert.snoozedUntil > now)
      return { by: 'snooze', reason: 'snoozed', until: alert.snoozedUntil };
    for (const inhibition of inhibits) {
      const reason = inhibition(alert);
      if (reason !== undefined) return { by: 'inhibition', reason, until: undefined };
    }
    return undefined;
  };
}

interface MuteSpan {
  test: AlertTest;
  mute: Mute;
}

function silenceMutes({ silences }: MutePolicies, now: number): MuteSpan[] {
  return silences
    .filter(({ content: { from, to } }) => from <= now && now < to)
    .map(({ content }) => ({
      test: alertTest(content.where),
      mute: { by: 'silence', reason: `silence: ${content.reason}`, until: content.to },
    }));
}

function maintenanceMutes({ maintenance }: MutePolicies, now: number): MuteSpan[] {
  return maintenance.flatMap(({ content }) => {
    const until = content.enabled ? maintenanceUntil(content, now) : undefined;
    if (until === undefined) return [];
    const mute: Mute = { by: 'maintenance', reason: `maintenance: ${content.name}`, until };
    return [{ test: alertTest(content.where), mute }];
  });
}

type Inhibition = (alert: AlertRow) => string | undefined;

/** A critical alert that fires keeps weaker ones quiet that watch the same: metric, filter and group. */
function builtInInhibition(firing: readonly AlertRow[], rules: ReadonlyMap<string, RuleRow>): Inhibition {
  const critical = new Map<string, AlertRow>();
  for (const alert of firing) {
    const key = alert.severity === 'critical' ? watchedBy(alert, rules) : undefined;
    if (key !== undefined) critical.set(key, alert);
  }
  return (alert) => {
    if (severities.indexOf(alert.severity) >= severities.indexOf('critical')) return undefined;
    const key = watchedBy(alert, rules);
    const source = key === undefined ? undefined : critical.get(key);
    return source === undefined ? undefined : `inhibited by ${source.ruleName}`;
  };
}

function watchedBy(alert: AlertRow, rules: ReadonlyMap<string, RuleRow>): string | undefined {
  const evaluation = rules.get(alert.ruleId)?.content.evaluation;
  if (evaluation?.query === undefined) return undefined;
  const where = Object.entries(evaluation.query.where).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([alert.metricType, where, picked(alert.labels, [...evaluation.group_by].sort())]);
}

/** An alert that matches both sides never keeps itself, or one like it, quiet. */
function inhibitionOf(firing: readonly AlertRow[]): (policy: PolicyRow<'inhibition'>) => Inhibition {
  return ({ content }) => {
    const [isSource, isTarget] = [alertTest(content.source), alertTest(content.target)];
    const sources = new Set(
      firing
        .filter((alert) => isSource(alert) && !isTarget(alert))
        .map(({ labels }) => JSON.stringify(picked(labels, content.equal))),
    );
    return (alert) =>
      isTarget(alert) && sources.has(JSON.stringify(picked(alert.labels, content.equal)))
        ? `inhibited: ${content.name}`
        : undefined;
  };
}

function picked(labels: Readonly<Record<string, string>>, names: readonly string[]): string[] {
  return names.map((name) => labelOf(labels, name));
}
