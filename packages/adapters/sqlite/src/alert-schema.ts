import type {
  AlertEvent,
  AlertState,
  ConditionState,
  Delivery,
  Notification,
  Severity,
} from '@nowcast/contract';
import type { DecidedTransition, PolicyKind } from '@nowcast/ports';
import type { Generated } from 'kysely';

/** The tables of alerting as Kysely sees them, in the manner of `schema.ts`. */
export interface AlertTables {
  alert_rules: {
    rule_id: string;
    tenant_id: string;
    user_id: string;
    name_key: string;
    content: string;
    version: number;
    evaluation_version: number;
    created_at: number;
    updated_at: number;
    problem: string | null;
  };
  alert_policies: {
    policy_id: string;
    tenant_id: string;
    kind: PolicyKind;
    user_id: string;
    content: string;
    created_at: number;
  };
  alerts: {
    alert_id: string;
    tenant_id: string;
    rule_id: string;
    rule_name: string;
    metric_type: string;
    severity: Severity;
    labels: string;
    state: AlertState;
    flapping: number;
    muted_by: string | null;
    since: number;
    fired_at: number | null;
    acknowledged_at: number | null;
    acknowledged_by: string | null;
    snoozed_until: number | null;
    resolved_at: number | null;
    value: number | null;
    limit_value: number | null;
    message: string;
    runbook_url: string;
    notified_at: number | null;
    escalated: number;
    escalates_from: number | null;
    told: string;
    tag: string;
    due_at: number | null;
    /** The newest of the times above at which its state changed: the order of lists. */
    changed_at: number;
    /** What a search looks in, folded. */
    search_key: string;
  };
  alert_transitions: {
    /** Order of storing. */
    position: Generated<number>;
    transition_id: string;
    tenant_id: string;
    alert_id: string;
    rule_id: string;
    /** With sorted names, so that equal sets are equal text. */
    labels: string;
    from_state: ConditionState;
    to_state: ConditionState;
    at: number;
    value: number | null;
    limit_value: number | null;
    reason: DecidedTransition['reason'];
    received_at: number;
  };
  alert_events: {
    position: Generated<number>;
    tenant_id: string;
    alert_id: string;
    at: number;
    kind: AlertEvent['kind'];
    user_name: string;
    note: string;
    value: number | null;
  };
  notifications: {
    notification_id: string;
    tenant_id: string;
    user_id: string;
    kind: Notification['kind'];
    severity: Severity;
    title: string;
    message: string;
    timestamp: number;
    rule_id: string | null;
    alert_ids: string;
    first_alert_id: string | null;
    labels: string;
    value: number | null;
    read_at: number | null;
    delay_ms: number | null;
    search_key: string;
  };
  alert_deliveries: {
    delivery_id: string;
    tenant_id: string;
    notification_id: string | null;
    /** The person it goes to; null: a channel. */
    user_id: string | null;
    channel_id: string | null;
    via: string;
    /** Null once it has ended. */
    message: string | null;
    due_at: number | null;
    digest_key: string | null;
    received_at: number | null;
    status: Delivery['status'];
    attempts: number;
    error: string;
    at: number;
  };
  /** What unended deliveries speak of, in the order in which they were stored. */
  delivery_order: {
    position: Generated<number>;
    delivery_id: string;
    tenant_id: string;
    way: string;
    tag: string;
    /** Says that it is over. */
    is_end: number;
  };
  notification_preferences: { tenant_id: string; user_id: string; content: string };
  push_devices: {
    device_id: string;
    tenant_id: string;
    user_id: string;
    endpoint: string;
    p256dh: string;
    auth: string;
    device: string;
    created_at: number;
    last_at: number | null;
    last_ok: number | null;
    last_error: string | null;
  };
}
