import { createHash } from 'node:crypto';
import type { AlertMessage, AlertRow, NewDelivery, NewInboxEntry, PolicyRow } from '@nowcast/ports';
import type { Person } from './audience.ts';
import { keepsIncidents } from './incident-channels.ts';
import type { Notice } from './notice.ts';
import { digestAt, quietUntil } from './quiet-hours.ts';

/** What a message says besides the notice. */
export interface Sender {
  tenantName: string;
  /** Whether mail can be sent at all. */
  email: boolean;
  makeId: (prefix: string) => string;
}

export interface Messages {
  inbox: NewInboxEntry[];
  deliveries: NewDelivery[];
}

/**
 * Inbox entries and deliveries of one notice: each person has an entry at once, whatever the ways they chose; quiet
 * hours and digests only hold back what leaves the house. Channels are shown among the deliveries of the first entry.
 */
export function messagesOf(
  notice: Notice,
  people: readonly Person[],
  channels: readonly PolicyRow<'channel'>[],
  sender: Sender,
): Messages {
  const inbox: NewInboxEntry[] = [];
  const deliveries: NewDelivery[] = [];
  for (const person of people) {
    const entry = entryOf(notice, person, sender);
    inbox.push(entry);
    deliveries.push(...personDeliveries(notice, person, entry.notificationId, sender));
  }
  const shownWith = inbox.find(({ userId }) => userId === notice.rule.ownerId) ?? inbox[0];
  for (const channel of channels)
    deliveries.push(...channelDeliveries(notice, channel, shownWith?.notificationId, sender));
  return { inbox, deliveries };
}

function entryOf(notice: Notice, { userId, seesReasons }: Person, sender: Sender): NewInboxEntry {
  return {
    notificationId: sender.makeId('note'),
    tenantId: notice.tenantId,
    userId,
    kind: notice.kind,
    severity: notice.severity,
    title: notice.title,
    message: (seesReasons ? notice.managersText : undefined) ?? notice.text,
    timestamp: notice.at,
    ruleId: notice.rule.ruleId === '' ? undefined : notice.rule.ruleId,
    // What a test speaks of is an example: there is no such alert.
    alertIds: notice.kind === 'test' ? [] : notice.alerts.map(({ alertId }) => alertId),
    labels: notice.alerts.length === 1 ? (notice.alerts[0]?.labels ?? {}) : {},
    value: notice.alerts.length === 1 ? notice.alerts[0]?.value : undefined,
    delayMs: notice.receivedAt === undefined ? undefined : Math.max(0, notice.at - notice.receivedAt),
  };
}

function personDeliveries(
  notice: Notice,
  person: Person,
  notificationId: string,
  sender: Sender,
): NewDelivery[] {
  const { userId, preferences, devices } = person;
  const ways = preferences[notice.severity];
  const isTest = notice.kind === 'test';
  const quiet = isTest ? notice.at : quietUntil(preferences, notice.severity, notice.at);
  const digest = isTest ? undefined : digestAt(preferences, notice.severity, notice.at, person.tz);
  const message = messageOf(notice, notificationId, sender);
  const base = { tenantId: notice.tenantId, notificationId, message, tags: tagsOf(notice) };
  const later = (dueAt: number) => (dueAt > notice.at ? undefined : notice.receivedAt);
  const pushes = ways.includes('push') ? devices : [];
  const mailAt = digest ?? quiet;
  return [
    ...pushes.map(({ deviceId }): NewDelivery => ({
      ...base,
      deliveryId: sender.makeId('dlv'),
      via: { kind: 'push', userId, deviceId },
      dueAt: quiet,
      digestKey: undefined,
      receivedAt: later(quiet),
    })),
    ...(ways.includes('email') && sender.email
      ? [
          {
            ...base,
            deliveryId: sender.makeId('dlv'),
            via: { kind: 'email' as const, userId },
            dueAt: mailAt,
            digestKey: digest === undefined ? undefined : `${notice.tenantId}:${userId}:${digest}`,
            // A digest says what it holds in the order of its times.
            ...(digest === undefined ? {} : { tags: [] }),
            receivedAt: later(mailAt),
          },
        ]
      : []),
  ];
}

function channelDeliveries(
  notice: Notice,
  channel: PolicyRow<'channel'>,
  notificationId: string | undefined,
  sender: Sender,
): NewDelivery[] {
  const parts =
    keepsIncidents(channel) && notice.alerts.length > 1
      ? notice.alerts.map((alert) => ({
          ...notice,
          alerts: [alert],
          tag: alert.tag,
          text: alert.message,
        }))
      : [notice];
  return parts.map((part) => ({
    deliveryId: sender.makeId('dlv'),
    tenantId: notice.tenantId,
    notificationId,
    via: { kind: 'channel', channelId: channel.id, name: channel.content.name },
    message: messageOf(part, notificationId ?? sender.makeId('note'), sender),
    dueAt: notice.at,
    digestKey: undefined,
    receivedAt: notice.receivedAt,
    tags: tagsOf(part),
  }));
}

/** What a test speaks of is an example: there is nothing to keep in order. */
function tagsOf({ kind, alerts }: Pick<Notice, 'kind' | 'alerts'>): string[] {
  return kind === 'test' ? [] : alerts.map(({ tag }) => tag);
}

export function messageOf(notice: Notice, notificationId: string, sender: Sender): AlertMessage {
  const [first] = notice.alerts;
  return {
    notificationId,
    kind: notice.kind,
    severity: notice.severity,
    title: notice.title,
    text: notice.text,
    at: notice.at,
    tenantName: sender.tenantName,
    ruleId: notice.rule.ruleId,
    ruleName: notice.rule.name,
    url: pathOf(notice, first),
    runbookUrl: notice.rule.content?.runbook_url ?? first?.runbookUrl ?? '',
    alerts: notice.alerts.map(({ alertId, labels, value, limit, firedAt, since }) => ({
      alertId,
      labels,
      value,
      limit,
      since: firedAt ?? since,
    })),
    unit: notice.rule.content?.unit ?? 'none',
    tag: tagOf(notice.tag),
  };
}

function pathOf(notice: Notice, alert: AlertRow | undefined): string {
  if (alert !== undefined && notice.kind !== 'test') return `/alerts/${encodeURIComponent(alert.alertId)}`;
  return notice.rule.ruleId === '' ? '/alerts' : `/alerts/rules/${encodeURIComponent(notice.rule.ruleId)}`;
}

/** Push topics and incident keys are short and plain. */
function tagOf(tag: string): string {
  return /^[\w-]{1,32}$/.test(tag) ? tag : createHash('sha256').update(tag).digest('base64url').slice(0, 22);
}
