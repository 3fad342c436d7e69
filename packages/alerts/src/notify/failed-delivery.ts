import type { AlertStore, DeliveryRow, NewDelivery } from '@nowcast/ports';
import { digestMessage } from './digest.ts';
import { hiddenReason } from './failure-reasons.ts';
import type { Notice } from './notice.ts';
import type { NotifyParts } from './notify-parts.ts';

const fallbackMark = '-fallback';

/**
 * A delivery that failed for good is never silent: the rule's owner reads it in the inbox, with the reason if that is
 * somebody who manages channels, and a channel's fallback is used once (its own delivery carries a mark, so that two
 * channels that fall back on each other do not play ping-pong). Of a digest each owner reads it once.
 */
export async function sayDeliveriesFailed(
  parts: NotifyParts,
  rows: readonly DeliveryRow[],
  error: string,
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const rules = await parts.book.rules(first.tenantId);
  const ownerOf = ({ message, via }: DeliveryRow): string | undefined =>
    rules.get(message.ruleId)?.userId ?? ('userId' in via ? via.userId : undefined);
  for (const [ownerId, own] of Map.groupBy(rows, ownerOf)) await sayFailed(parts, own, { ownerId, error });
}

async function sayFailed(
  { options, queue, notifier, book }: NotifyParts,
  rows: readonly DeliveryRow[],
  { ownerId, error }: { ownerId: string | undefined; error: string },
): Promise<void> {
  const [row] = rows;
  if (row === undefined) return;
  const { tenantId, via } = row;
  const message = rows.length === 1 ? row.message : digestMessage(rows);
  const isOfOneRule = rows.every((one) => one.message.ruleId === row.message.ruleId);
  const { ruleId, ruleName: name } = isOfOneRule ? row.message : message;
  const fallback = await fallbackOf(row, options.store.alerting);
  const now = options.clock.now();
  const by = via.kind === 'channel' ? `the channel "${via.name}"` : via.kind;
  const instead = fallback?.via.kind === 'channel' ? ` It is sent by "${fallback.via.name}" instead.` : '';
  const what = rows.length === 1 ? 'A message' : 'Messages';
  const textWith = (reason: string): string => `${what} could not be sent by ${by}: ${reason}.${instead}`;
  const notice: Notice = {
    tenantId,
    kind: 'delivery_problem',
    severity: 'warning',
    title: `Not delivered: ${message.title}`,
    text: textWith(hiddenReason),
    managersText: textWith(error.replace(/\.$/, '')),
    at: now,
    rule: { ruleId, name, ownerId, content: (await book.rules(tenantId)).get(ruleId)?.content },
    alerts: [],
    targets: [],
    receivedAt: undefined,
    tag: `failed-${row.deliveryId}`,
  };
  await queue.run(() => notifier.sayFailed(notice, fallback && { ...fallback, dueAt: now }));
}

async function fallbackOf(
  row: DeliveryRow,
  { alerts, policies }: Pick<AlertStore, 'alerts' | 'policies'>,
): Promise<NewDelivery | undefined> {
  if (row.via.kind !== 'channel' || row.deliveryId.endsWith(fallbackMark)) return undefined;
  const failed = await policies.get(row.tenantId, 'channel', row.via.channelId);
  const id = failed?.content.fallback_channel_id;
  const fallback = id === undefined ? undefined : await policies.get(row.tenantId, 'channel', id);
  if (fallback === undefined || (await hearsItself(fallback.id, row, alerts))) return undefined;
  return {
    deliveryId: `${row.deliveryId}${fallbackMark}`,
    tenantId: row.tenantId,
    notificationId: row.notificationId,
    via: { kind: 'channel', channelId: fallback.id, name: fallback.content.name },
    message: row.message,
    dueAt: row.dueAt,
    digestKey: undefined,
    receivedAt: row.receivedAt,
    tags: row.tags,
  };
}

/** It stood in before: that the alerts are over is said to it as to all who were told of them. */
async function hearsItself(
  channelId: string,
  { tenantId, message }: DeliveryRow,
  alerts: AlertStore['alerts'],
): Promise<boolean> {
  if (message.kind !== 'resolved') return false;
  const about = await Promise.all(message.alerts.map(({ alertId }) => alerts.get(tenantId, alertId)));
  return about.every((alert) => alert?.told.channelIds.includes(channelId) === true);
}
