import type {
  Alert,
  Channel,
  Inhibition,
  Maintenance,
  PushDevice,
  Rule,
  Schedule,
  ScheduleContent,
  Shift,
  Silence,
} from '@nowcast/contract';
import type { AlertRow, EvaluatedRuleStatus, PolicyRow, PushDeviceRow, RuleRow } from '@nowcast/ports';
import { windowsFrom } from './maintenance.ts';
import { shiftsFrom } from './on-call.ts';

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

const shownWindows = 5;
const shownShifts = 8;

export function wireMaintenance({ id, content }: PolicyRow<'maintenance'>, now: number): Maintenance {
  const upcoming = content.enabled ? windowsFrom(content, now, shownWindows) : [];
  return { ...content, maintenance_id: id, upcoming };
}

export function wireInhibition({ id, content }: PolicyRow<'inhibition'>): Inhibition {
  return { ...content, inhibition_id: id };
}

type Names = ReadonlyMap<string, string>;

export function wireShifts(content: ScheduleContent, names: Names, now: number): Shift[] {
  return shiftsFrom(content, now, shownShifts).map(({ userId, from, until, isOverride }) => ({
    user_id: userId,
    name: names.get(userId) ?? '',
    from,
    to: until,
    override: isOverride,
  }));
}

export function wireSchedule({ id, content }: PolicyRow<'schedule'>, names: Names, now: number): Schedule {
  const shifts = wireShifts(content, names, now);
  const [first] = shifts;
  const ids = new Set([...content.members, ...content.overrides.map((override) => override.user_id)]);
  return {
    ...content,
    schedule_id: id,
    on_call: first === undefined ? null : { user_id: first.user_id, name: first.name, until: first.to },
    shifts,
    people: [...ids].map((userId) => ({ user_id: userId, name: names.get(userId) ?? '' })),
  };
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
