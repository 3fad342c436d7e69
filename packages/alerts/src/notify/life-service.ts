import {
  type Actor,
  type Alert,
  type AlertEvent,
  type AlertSeries,
  appError,
  type Rule,
  type Severity,
  type Transition,
} from '@nowcast/contract';
import { randomId } from '@nowcast/kernel';
import type { AlertFilter, AlertRow, LabelTest, NewDelivery } from '@nowcast/ports';
import { alertSeries } from './alert-series.ts';
import { messageOf, type Messages } from './decide-messages.ts';
import { keepsIncidents } from './incident-channels.ts';
import { noticeOf } from './notice.ts';
import { requireRight } from './rights.ts';
import type { NotifyParts } from './notify-parts.ts';
import { wireAlert, wireRule } from './wire.ts';

const longestSnoozeMs = 30 * 86_400_000;
const mostTransitions = 2000;

/** What an act makes of an alert that fires. */
type Act = (alert: AlertRow, now: number, name: string) => AlertRow;

/** Alerts as people see them, and what people do to them. An act changes who is told, never what is true. */
export class LifeService {
  readonly #parts: NotifyParts;

  constructor(parts: NotifyParts) {
    this.#parts = parts;
  }

  async list(actor: Actor, filter: AlertFilter): Promise<{ alerts: Alert[]; cursor?: string }> {
    this.#require(actor, 'alert.read');
    const { alerts, cursor } = await this.#alerts.list(actor.tenant_id, filter);
    return { alerts: alerts.map(wireAlert), ...(cursor === undefined ? {} : { cursor }) };
  }

  async get(
    actor: Actor,
    alertId: string,
  ): Promise<{ alert: Alert; events: AlertEvent[]; rule: Rule | null }> {
    this.#require(actor, 'alert.read');
    const alert = await this.#alerts.get(actor.tenant_id, alertId);
    if (alert === undefined) throw noSuchAlert();
    const [events, rule, statuses] = await Promise.all([
      this.#alerts.events(actor.tenant_id, alertId),
      this.#parts.options.store.alerting.rules.get(actor.tenant_id, alert.ruleId),
      this.#parts.options.evaluation.rules(actor.tenant_id),
    ]);
    const editable = this.#parts.options.can(actor, 'alert.write', { tenant_id: actor.tenant_id });
    const status = statuses.find(({ ruleId }) => ruleId === alert.ruleId);
    return {
      alert: wireAlert(alert),
      events,
      rule: rule === undefined ? null : wireRule(rule, status, editable),
    };
  }

  /** Its value around the moment it fired. */
  async series(actor: Actor, alertId: string, signal?: AbortSignal): Promise<AlertSeries> {
    this.#require(actor, 'alert.read');
    const alert = await this.#alerts.get(actor.tenant_id, alertId);
    if (alert === undefined) throw noSuchAlert();
    return alertSeries(this.#parts.options, this.#parts.book, alert, signal);
  }

  async acknowledge(actor: Actor, alertId: string, { note }: { note: string }): Promise<Alert> {
    return this.#act(actor, alertId, { kind: 'acknowledged', note }, (alert, now, name) => ({
      ...alert,
      state: 'acknowledged',
      acknowledgedAt: alert.acknowledgedAt ?? now,
      acknowledgedBy: alert.acknowledgedBy ?? name,
    }));
  }

  async unacknowledge(actor: Actor, alertId: string): Promise<Alert> {
    return this.#act(actor, alertId, { kind: 'unacknowledged', note: '' }, (alert) => ({
      ...alert,
      state: 'firing',
      acknowledgedAt: undefined,
      acknowledgedBy: undefined,
    }));
  }

  async snooze(actor: Actor, alertId: string, { until }: { until: number }): Promise<Alert> {
    const now = this.#parts.options.clock.now();
    if (!(until > now && until <= now + longestSnoozeMs))
      throw appError('request.invalid', 'until must lie in the future, 30 days ahead at most');
    const note = `until ${new Date(until).toISOString()}`;
    return this.#act(actor, alertId, { kind: 'snoozed', note }, (alert) => ({
      ...alert,
      snoozedUntil: until,
    }));
  }

  /** Oldest first; the newest ones when there are too many. */
  async transitions(
    actor: Actor,
    filter: {
      metric_type?: string | undefined;
      rule_id?: string | undefined;
      accepts?: LabelTest | undefined;
      from: number;
      to: number;
    },
  ): Promise<(Transition & { rule_name: string; severity: Severity })[]> {
    this.#require(actor, 'alert.read');
    const rows = await this.#alerts.transitions(actor.tenant_id, {
      ruleIds: await this.#rulesOf(actor.tenant_id, filter),
      accepts: filter.accepts,
      from: filter.from,
      to: filter.to,
      limit: mostTransitions,
    });
    return rows.map(({ tenant: _tenant, received_at: _received, ...transition }) => transition);
  }

  get #alerts() {
    return this.#parts.options.store.alerting.alerts;
  }

  #require(actor: Actor, action: 'alert.read' | 'alert.act'): void {
    requireRight(this.#parts.options.can, actor, action);
  }

  async #rulesOf(
    tenantId: string,
    {
      metric_type: metricType,
      rule_id: ruleId,
    }: { metric_type?: string | undefined; rule_id?: string | undefined },
  ): Promise<string[] | undefined> {
    if (metricType === undefined) return ruleId === undefined ? undefined : [ruleId];
    const rules = await this.#parts.book.rules(tenantId);
    return [...rules.values()]
      .filter(({ content: { evaluation } }) =>
        [evaluation.query, evaluation.divide_by].some((query) => query?.metric_type === metricType),
      )
      .map((rule) => rule.ruleId)
      .filter((id) => ruleId === undefined || id === ruleId);
  }

  async #act(
    actor: Actor,
    alertId: string,
    { kind, note }: Pick<AlertEvent, 'kind' | 'note'>,
    act: Act,
  ): Promise<Alert> {
    this.#require(actor, 'alert.act');
    const name = await this.#nameOf(actor);
    const tenantId = actor.tenant_id;
    return this.#parts.queue.run(async () => {
      const { book, notifier, options } = this.#parts;
      const before = book.active(tenantId).get(alertId);
      if (before === undefined) throw await this.#notOpen(tenantId, alertId);
      if (before.state === 'pending')
        throw appError('request.conflict', 'This alert does not fire yet; there is nothing to take over');
      const now = options.clock.now();
      const after = act(before, now, name);
      const taken = kind === 'acknowledged' && before.state !== 'acknowledged';
      const event = { tenantId, alertId, at: now, kind, user_name: name, note, value: after.value ?? null };
      const more = taken ? await this.#taken(after, now) : undefined;
      await notifier.act(tenantId, { acted: [after] }, [event], more);
      return wireAlert(book.active(tenantId).get(alertId) ?? after);
    });
  }

  async #notOpen(tenantId: string, alertId: string): Promise<Error> {
    const stored = await this.#alerts.get(tenantId, alertId);
    return stored === undefined ? noSuchAlert() : appError('request.conflict', 'This alert is over already');
  }

  /** Services that keep incidents of their own are told that somebody has it, if they were told of it. */
  async #taken(alert: AlertRow, now: number): Promise<Messages> {
    const messages: Messages = { inbox: [], deliveries: [] };
    const rule = (await this.#parts.book.rules(alert.tenantId)).get(alert.ruleId);
    if (rule === undefined || alert.notifiedAt === undefined) return messages;
    const channels = await this.#incidentChannels(alert);
    const notice = noticeOf([{ alert, kind: 'firing', targets: [] }], rule, now, undefined);
    if (notice === undefined || channels.length === 0) return messages;
    const sender = await this.#parts.notifier.sender(alert.tenantId);
    const message = { ...messageOf(notice, randomId('note'), sender), kind: 'acknowledged' as const };
    messages.deliveries.push(
      ...channels.map(({ id, content: { name } }): NewDelivery => ({
        deliveryId: randomId('dlv'),
        tenantId: alert.tenantId,
        notificationId: undefined,
        via: { kind: 'channel', channelId: id, name },
        message,
        dueAt: now,
        digestKey: undefined,
        receivedAt: undefined,
        tags: [alert.tag],
      })),
    );
    return messages;
  }

  async #incidentChannels({ tenantId, told }: AlertRow) {
    const ids = new Set(told.channelIds);
    const channels = await this.#parts.book.policies(tenantId, 'channel');
    return channels.filter((channel) => ids.has(channel.id) && keepsIncidents(channel));
  }

  async #nameOf(actor: Actor): Promise<string> {
    if (actor.kind !== 'user') return '';
    const member = await this.#parts.options.store.members.get(actor.tenant_id, actor.user_id);
    return member?.user.name ?? '';
  }
}

function noSuchAlert() {
  return appError('request.not_found', 'There is no such alert');
}
