import * as z from 'zod/mini';
import type { AlertState, Severity } from './alert-names.ts';
import type { ConditionState } from './rule.ts';

/** A group of a rule that is, or was, not well. One from its first `pending` until it is resolved. */
export interface Alert {
  alert_id: string;
  rule_id: string;
  rule_name: string;
  severity: Severity;
  /** Labels of the rule and of the group. */
  labels: Record<string, string>;
  state: AlertState;
  /** Changes too often; said once until it is calm. */
  flapping: boolean;
  /** Silence, maintenance window or alert that keeps it quiet, in words; null when nothing does. */
  muted_by: string | null;
  /** Logged receipt times, epoch ms; null: not (yet). */
  since: number;
  fired_at: number | null;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  snoozed_until: number | null;
  resolved_at: number | null;
  value: number | null;
  /** What it was compared with. */
  limit: number | null;
  message: string;
  runbook_url: string;
  /** Chart that shows it: query of the rule, narrowed to the group. */
  metric_type: string;
}

/** An alert's value around the moment it fired. Times are epoch ms, ascending. */
export interface AlertSeries {
  from: number;
  to: number;
  /** Between two points; a longer way is a gap. */
  point_ms: number;
  timestamp: number[];
  /** Null where there was none. */
  value: (number | null)[];
}

/** One step of an alert's life; the record that charts, inbox and channels are made from. Never taken back. */
export interface Transition {
  /** Stable: the same after a crash and a replay. */
  transition_id: string;
  alert_id: string;
  rule_id: string;
  labels: Record<string, string>;
  from: ConditionState;
  to: ConditionState;
  /** Logged receipt time at which it was decided, epoch ms. */
  at: number;
  value: number | null;
  limit: number | null;
  /** Set when the value was not the reason: no data, the rule was changed or removed. */
  reason: 'value' | 'no_data' | 'rule_changed' | 'rule_removed';
}

export const acknowledgeSchema = z.strictObject({
  note: z._default(z.string().check(z.maxLength(1000)), ''),
});
export const snoozeSchema = z.strictObject({
  /** Quiet until then, epoch ms; it comes back when it still fires. */
  until: z.number(),
});

/** A line of what happened to an alert, oldest first: machine and people. */
export interface AlertEvent {
  at: number;
  kind:
    | 'pending'
    | 'firing'
    | 'recovering'
    | 'resolved'
    | 'acknowledged'
    | 'unacknowledged'
    | 'snoozed'
    | 'escalated'
    | 'repeated'
    | 'muted'
    | 'flapping';
  /** Who did it; empty: the machine. */
  user_name: string;
  note: string;
  value: number | null;
}
