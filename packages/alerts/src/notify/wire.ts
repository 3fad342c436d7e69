import type {
  Alert,
  Channel,
  Inhibition,
  Maintenance,
  PushDevice,
  Rule,
  Schedule,
  Silence,
} from '@nowcast/contract';
import type { AlertRow, EvaluatedRuleStatus, PolicyRow, PushDeviceRow, RuleRow } from '@nowcast/ports';

/** Rows as the wire shows them. */
export function wireAlert(row: AlertRow): Alert {
  return {
    alert_id: row.alertId,
    rule_id: row.ruleId,
    rule_name: row.ruleName,
    severity: row.severity,
    labels: row.labels,
    state: row.state,
    flapping: row.flapping,
    muted_by: row.mutedBy ?? null,
    since: row.since,
    fired_at: row.firedAt ?? null,
    acknowledged_at: row.acknowledgedAt ?? null,
    acknowledged_by: row.acknowledgedBy ?? null,
    snoozed_until: row.snoozedUntil ?? null,
    resolved_at: row.resolvedAt ?? null,
    value: row.value ?? null,
    limit: row.limit ?? null,
    message: row.message,
    runbook_url: row.runbookUrl,
    metric_type: row.metricType,
  };
}

export function wireRule(row: RuleRow, status: EvaluatedRuleStatus | undefined, editable: boolean): Rule {
  return {
    ...row.content,
    rule_id: row.ruleId,
    user_id: row.userId,
    owner_name: row.ownerName,
    version: row.version,
    created_at: row.createdAt,
    last_updated: row.updatedAt,
    editable,
    problem: status?.problem ?? row.problem ?? null,
    counts: status?.counts ?? { ok: 0, pending: 0, firing: 0, no_data: 0 },
  };
}

export function wireSilence({ id, content, userId, ownerName, createdAt }: PolicyRow<'silence'>): Silence {
  return { ...content, silence_id: id, user_id: userId, owner_name: ownerName, created_at: createdAt };
}

export function wireMaintenance({ id, content }: PolicyRow<'maintenance'>): Maintenance {
  return { ...content, maintenance_id: id };
}

export function wireInhibition({ id, content }: PolicyRow<'inhibition'>): Inhibition {
  return { ...content, inhibition_id: id };
}

export function wireSchedule(row: PolicyRow<'schedule'>, onCall: Schedule['on_call']): Schedule {
  return { ...row.content, schedule_id: row.id, on_call: onCall };
}

/** Secrets stay here: `secret` is empty, and the signing secret is only in the answer that made it. */
export function wireChannel(row: PolicyRow<'channel'>, last: Channel['last']): Channel {
  const { signingSecret: _kept, config, ...content } = row.content;
  return {
    ...content,
    config: config.kind === 'webhook' ? { ...config, secret: '' } : config,
    channel_id: row.id,
    created_at: row.createdAt,
    last,
  };
}

export function wireDevice({ deviceId, device, createdAt, last }: PushDeviceRow): PushDevice {
  return { device_id: deviceId, device, created_at: createdAt, last: last ?? null };
}
