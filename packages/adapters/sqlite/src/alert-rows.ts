import {
  type Delivery,
  type Notification,
  notificationPreferencesSchema,
  type NotificationPreferences,
  type RuleContent,
} from '@nowcast/contract';
import type {
  AlertChange,
  AlertRow,
  DecidedTransition,
  DeliveryRow,
  DeliveryVia,
  NewDelivery,
  NewInboxEntry,
  PolicyContents,
  PolicyKind,
  PolicyRow,
  PushDeviceRow,
  RuleRow,
} from '@nowcast/ports';
import type { Insertable, Selectable } from 'kysely';
import { foldText } from './alert-page.ts';
import type { Tables } from './schema.ts';

/** Rows of alerting's tables ↔ rows of the port. JSON columns were validated before they were written. */

type Labels = Readonly<Record<string, string>>;

/** Equal sets of labels are equal text. */
function labelText(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function searchKey(texts: readonly string[], labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return foldText([...texts, ...pairs].join('\n'));
}

export function ruleFromRow(row: Selectable<Tables['alert_rules']> & { owner_name: string }): RuleRow {
  return {
    ruleId: row.rule_id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    ownerName: row.owner_name,
    content: JSON.parse(row.content) as RuleContent,
    version: row.version,
    evaluationVersion: row.evaluation_version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    problem: row.problem ?? undefined,
  };
}

export function policyFromRow<K extends PolicyKind>(
  kind: K,
  row: Selectable<Tables['alert_policies']> & { owner_name: string },
): PolicyRow<K> {
  return {
    id: row.policy_id,
    tenantId: row.tenant_id,
    kind,
    content: JSON.parse(row.content) as PolicyContents[K],
    userId: row.user_id,
    ownerName: row.owner_name,
    createdAt: row.created_at,
  };
}

export function alertToRow(alert: AlertRow): Tables['alerts'] {
  const { since, firedAt, acknowledgedAt, resolvedAt } = alert;
  return {
    alert_id: alert.alertId,
    tenant_id: alert.tenantId,
    rule_id: alert.ruleId,
    rule_name: alert.ruleName,
    metric_type: alert.metricType,
    severity: alert.severity,
    labels: JSON.stringify(alert.labels),
    state: alert.state,
    flapping: Number(alert.flapping),
    muted_by: alert.mutedBy ?? null,
    since,
    fired_at: firedAt ?? null,
    acknowledged_at: acknowledgedAt ?? null,
    acknowledged_by: alert.acknowledgedBy ?? null,
    snoozed_until: alert.snoozedUntil ?? null,
    resolved_at: resolvedAt ?? null,
    value: alert.value ?? null,
    limit_value: alert.limit ?? null,
    message: alert.message,
    runbook_url: alert.runbookUrl,
    notified_at: alert.notifiedAt ?? null,
    escalated: alert.escalated,
    escalates_from: alert.escalatesFrom ?? null,
    told: JSON.stringify(alert.told),
    tag: alert.tag,
    due_at: alert.dueAt ?? null,
    changed_at: Math.max(since, firedAt ?? since, acknowledgedAt ?? since, resolvedAt ?? since),
    search_key: searchKey([alert.ruleName, alert.message], alert.labels),
  };
}

export function alertFromRow(row: Selectable<Tables['alerts']>): AlertRow {
  return {
    alertId: row.alert_id,
    tenantId: row.tenant_id,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    metricType: row.metric_type,
    severity: row.severity,
    labels: JSON.parse(row.labels) as Record<string, string>,
    state: row.state,
    flapping: row.flapping === 1,
    mutedBy: row.muted_by ?? undefined,
    since: row.since,
    firedAt: row.fired_at ?? undefined,
    acknowledgedAt: row.acknowledged_at ?? undefined,
    acknowledgedBy: row.acknowledged_by ?? undefined,
    snoozedUntil: row.snoozed_until ?? undefined,
    resolvedAt: row.resolved_at ?? undefined,
    value: row.value ?? undefined,
    limit: row.limit_value ?? undefined,
    message: row.message,
    runbookUrl: row.runbook_url,
    notifiedAt: row.notified_at ?? undefined,
    escalated: row.escalated,
    escalatesFrom: row.escalates_from ?? undefined,
    told: JSON.parse(row.told) as AlertRow['told'],
    tag: row.tag,
    dueAt: row.due_at ?? undefined,
  };
}

export function transitionToRow(transition: DecidedTransition): Insertable<Tables['alert_transitions']> {
  return {
    transition_id: transition.transition_id,
    tenant_id: transition.tenant,
    alert_id: transition.alert_id,
    rule_id: transition.rule_id,
    labels: labelText(transition.labels),
    from_state: transition.from,
    to_state: transition.to,
    at: transition.at,
    value: transition.value,
    limit_value: transition.limit,
    reason: transition.reason,
    received_at: transition.received_at,
  };
}

export function transitionFromRow(
  row: Omit<Selectable<Tables['alert_transitions']>, 'position'>,
): DecidedTransition {
  return {
    tenant: row.tenant_id,
    transition_id: row.transition_id,
    alert_id: row.alert_id,
    rule_id: row.rule_id,
    labels: JSON.parse(row.labels) as Record<string, string>,
    from: row.from_state,
    to: row.to_state,
    at: row.at,
    value: row.value,
    limit: row.limit_value,
    reason: row.reason,
    received_at: row.received_at,
  };
}

export function eventToRow(event: AlertChange['events'][number]): Insertable<Tables['alert_events']> {
  return {
    tenant_id: event.tenantId,
    alert_id: event.alertId,
    at: event.at,
    kind: event.kind,
    user_name: event.user_name,
    note: event.note,
    value: event.value,
  };
}

export function inboxToRow(entry: NewInboxEntry): Tables['notifications'] {
  return {
    notification_id: entry.notificationId,
    tenant_id: entry.tenantId,
    user_id: entry.userId,
    kind: entry.kind,
    severity: entry.severity,
    title: entry.title,
    message: entry.message,
    timestamp: entry.timestamp,
    rule_id: entry.ruleId ?? null,
    alert_ids: JSON.stringify(entry.alertIds),
    first_alert_id: entry.alertIds[0] ?? null,
    labels: JSON.stringify(entry.labels),
    value: entry.value ?? null,
    read_at: null,
    delay_ms: entry.delayMs ?? null,
    search_key: searchKey([entry.title, entry.message], entry.labels),
  };
}

export type NotificationColumns = Omit<Selectable<Tables['notifications']>, 'search_key'> & {
  alert_state: Notification['alert_state'];
};

export function notificationFromRow(row: NotificationColumns, deliveries: Delivery[]): Notification {
  return {
    notification_id: row.notification_id,
    user_id: row.user_id,
    message: row.message,
    timestamp: row.timestamp,
    title: row.title,
    severity: row.severity,
    kind: row.kind,
    rule_id: row.rule_id,
    alert_ids: JSON.parse(row.alert_ids) as string[],
    alert_state: row.alert_state,
    labels: JSON.parse(row.labels) as Record<string, string>,
    value: row.value,
    read_at: row.read_at,
    delay_ms: row.delay_ms,
    deliveries,
  };
}

export function deliveryToRow(delivery: NewDelivery): Tables['alert_deliveries'] {
  const { via, message } = delivery;
  return {
    delivery_id: delivery.deliveryId,
    tenant_id: delivery.tenantId,
    notification_id: delivery.notificationId ?? null,
    user_id: via.kind === 'channel' ? null : via.userId,
    channel_id: via.kind === 'channel' ? via.channelId : null,
    via: JSON.stringify(via),
    message: JSON.stringify(message),
    due_at: delivery.dueAt,
    digest_key: delivery.digestKey ?? null,
    received_at: delivery.receivedAt ?? null,
    status: 'waiting',
    attempts: 0,
    error: '',
    at: message.at,
  };
}

/** A row that is still to be made: one that has ended has neither message nor due time. */
export function deliveryFromRow(
  row: Selectable<Tables['alert_deliveries']> & { message: string; due_at: number; tags: string },
): DeliveryRow {
  return {
    deliveryId: row.delivery_id,
    tenantId: row.tenant_id,
    notificationId: row.notification_id ?? undefined,
    via: JSON.parse(row.via) as DeliveryVia,
    message: JSON.parse(row.message) as DeliveryRow['message'],
    dueAt: row.due_at,
    digestKey: row.digest_key ?? undefined,
    receivedAt: row.received_at ?? undefined,
    tags: JSON.parse(row.tags) as string[],
    status: row.status,
    attempts: row.attempts,
    error: row.error,
    at: row.at,
  };
}

export function shownDelivery(
  row: Pick<
    Selectable<Tables['alert_deliveries']>,
    'delivery_id' | 'via' | 'status' | 'attempts' | 'error' | 'at'
  >,
): Delivery {
  const via = JSON.parse(row.via) as DeliveryVia;
  return {
    delivery_id: row.delivery_id,
    via: via.kind === 'channel' ? via.name : via.kind,
    status: row.status,
    attempts: row.attempts,
    error: row.error,
    at: row.at,
  };
}

/** What an older version stored lacks what was added since. */
export function preferencesFromText(text: string): NotificationPreferences {
  return notificationPreferencesSchema.parse(JSON.parse(text));
}

export function deviceFromRow(row: Selectable<Tables['push_devices']>): PushDeviceRow {
  const { last_at: at, last_ok: ok, last_error: error } = row;
  return {
    deviceId: row.device_id,
    userId: row.user_id,
    tenantId: row.tenant_id,
    endpoint: row.endpoint,
    p256dh: row.p256dh,
    auth: row.auth,
    device: row.device,
    createdAt: row.created_at,
    last: at === null ? undefined : { at, ok: ok === 1, error: error ?? '' },
  };
}
