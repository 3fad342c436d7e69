import type { AlertEvent, ConditionState } from '@nowcast/contract';
import type { AlertRow, DecidedTransition, RuleRow } from '@nowcast/ports';
import { alertText } from './alert-text.ts';

/**
 * What a transition makes of an alert's row. People's acts stay: an acknowledged alert that recovers and breaks again
 * before it is over is still acknowledged. Recovering still fires as far as people are concerned.
 */
export interface LifeStep {
  alert: AlertRow;
  event: Omit<AlertEvent, 'user_name'>;
  /** Why it is over without being known to be well, in words; undefined: it is well, or not over. */
  until: string | undefined;
}

type Change = (alert: AlertRow, at: number) => AlertRow;

const stays: Change = (alert) => alert;
const fires: Change = (alert, at) =>
  alert.firedAt === undefined ? { ...alert, state: 'firing', firedAt: at } : alert;
const ends: Change = (alert, at) => endedAlert(alert, at);

/** An alert that is over: nothing is due, nothing keeps it quiet any more. */
export function endedAlert(alert: AlertRow, at: number): AlertRow {
  return {
    ...alert,
    state: 'resolved',
    resolvedAt: at,
    snoozedUntil: undefined,
    mutedBy: undefined,
    dueAt: undefined,
  };
}

/** By the state the group goes to. */
const table: Readonly<Record<ConditionState, { change: Change; event: AlertEvent['kind'] }>> = {
  pending: { change: stays, event: 'pending' },
  firing: { change: fires, event: 'firing' },
  recovering: { change: stays, event: 'recovering' },
  ok: { change: ends, event: 'resolved' },
};

/**
 * Undefined when nothing follows: the alert is over already, or none is known for a last transition.
 * `rule` as it is now; undefined: it is deleted.
 */
export function lifeStep(
  before: AlertRow | undefined,
  transition: DecidedTransition,
  rule: RuleRow | undefined,
): LifeStep | undefined {
  const { to, at, value, limit } = transition;
  if (before?.state === 'resolved' || (before === undefined && (to === 'ok' || rule === undefined)))
    return undefined;
  const begun = before ?? newAlert(transition, rule);
  if (begun === undefined) return undefined;
  const { change, event } = table[to];
  const changed = change({ ...begun, value: value ?? begun.value, limit: limit ?? begun.limit }, at);
  // What people were told last is not rewritten by the value that ended it.
  const message =
    rule === undefined || to === 'ok' ? begun.message : alertText(rule.content, changed).slice(0, 4000);
  return {
    alert: { ...changed, message },
    event: { at, kind: event, note: noteOf(transition), value },
    until: to === 'ok' ? untilOf(noteOf(transition)) : undefined,
  };
}

const notes: Readonly<Record<DecidedTransition['reason'], string>> = {
  value: '',
  no_data: 'no data',
  rule_changed: 'the rule was changed',
  rule_removed: 'the rule was removed or switched off',
};

/** Why an alert is over, from the note of its end, in words of `LifeStep.until`. */
export function untilOf(note: string): string | undefined {
  if (note === notes.value) return undefined;
  return note === notes.no_data ? 'it sent nothing any more' : note;
}

function noteOf({ reason }: DecidedTransition): string {
  return notes[reason];
}

function newAlert(transition: DecidedTransition, rule: RuleRow | undefined): AlertRow | undefined {
  if (rule === undefined) return undefined;
  const { content } = rule;
  return {
    alertId: transition.alert_id,
    tenantId: transition.tenant,
    ruleId: rule.ruleId,
    ruleName: content.name,
    metricType: content.evaluation.query?.metric_type ?? '',
    severity: content.severity,
    labels: { ...content.labels, ...transition.labels },
    state: 'pending',
    flapping: false,
    mutedBy: undefined,
    since: transition.at,
    firedAt: undefined,
    acknowledgedAt: undefined,
    acknowledgedBy: undefined,
    snoozedUntil: undefined,
    resolvedAt: undefined,
    value: undefined,
    limit: undefined,
    message: '',
    runbookUrl: content.runbook_url,
    notifiedAt: undefined,
    escalated: 0,
    escalatesFrom: undefined,
    told: { userIds: [], channelIds: [] },
    tag: transition.alert_id,
    dueAt: undefined,
  };
}
