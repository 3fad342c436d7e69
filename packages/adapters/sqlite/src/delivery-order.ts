import type { DeliveryVia, NewDelivery } from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import { oneOf } from './alert-page.ts';
import type { Tables } from './schema.ts';

/**
 * The order of messages: a row for each tag of each delivery that has not ended. `position` grows, so the row with the
 * least of a tenant, way and tag is the one that may go.
 */

/** A channel is the same way when it has another name by now. */
export function wayOf(via: DeliveryVia): string {
  return via.kind === 'channel' ? `channel ${via.channelId}` : JSON.stringify(via);
}

export function orderRows({ deliveryId, tenantId, via, message, tags }: NewDelivery) {
  const row = {
    delivery_id: deliveryId,
    tenant_id: tenantId,
    way: wayOf(via),
    is_end: Number(message.kind === 'resolved'),
  };
  return [...new Set(tags)].map((tag) => ({ ...row, tag }));
}

const sameWayAndTag = sql`other.tenant_id = own.tenant_id and other.way = own.way and other.tag = own.tag`;

/** That no delivery stands before the one of the outer `alert_deliveries`. */
export const isFirst = sql<boolean>`not exists (
  select 1 from delivery_order as own join delivery_order as other
    on ${sameWayAndTag} and other.position < own.position
  where own.delivery_id = alert_deliveries.delivery_id)`;

/** Tags of the outer `alert_deliveries`, as JSON. */
export const tagsOf = sql<string>`(
  select json_group_array(tag) from delivery_order where delivery_id = alert_deliveries.delivery_id)`.as(
  'tags',
);

/** That an end stands behind a row `own`. */
const isEnded = sql<number>`exists (select 1 from delivery_order as other
  where ${sameWayAndTag} and other.position > own.position and other.is_end = 1)`;

/** That ends stand behind all that the outer `alert_deliveries` speaks of; it has a tag. */
const isOverEntirely = sql`not exists (select 1 from delivery_order as own
  where own.delivery_id = alert_deliveries.delivery_id and not ${isEnded})`;

/**
 * Makes due what stands before these deliveries no later than they are. What has failed keeps its pause, which is the
 * receiver's: only the end of the last alert it speaks of has it looked at at once, and given up.
 */
export async function hurryBefore(trx: Transaction<Tables>, deliveryIds: readonly string[]): Promise<void> {
  await sql`update alert_deliveries set due_at = newer.due_at
    from alert_deliveries as newer
      join delivery_order as own on own.delivery_id = newer.delivery_id
      join delivery_order as other on ${sameWayAndTag} and other.position < own.position
    where newer.delivery_id in ${oneOf(deliveryIds)} and alert_deliveries.delivery_id = other.delivery_id
      and (alert_deliveries.attempts = 0 or (own.is_end = 1 and ${isOverEntirely}))
      and alert_deliveries.due_at > newer.due_at`.execute(trx);
}

export async function isOver(db: Kysely<Tables>, deliveryId: string): Promise<boolean> {
  const tags = await db
    .selectFrom('delivery_order as own')
    .select(isEnded.as('ended'))
    .where('own.delivery_id', '=', deliveryId)
    .execute();
  return tags.length > 0 && tags.every(({ ended }) => ended === 1);
}

/** It has ended; returns whether another stood behind it. */
export async function leaveOrder(trx: Transaction<Tables>, deliveryId: string): Promise<boolean> {
  const next = await trx
    .selectFrom('delivery_order as own')
    .innerJoin('delivery_order as other', (join) =>
      join.on(sql<boolean>`${sameWayAndTag} and other.position > own.position`),
    )
    .select('other.delivery_id')
    .where('own.delivery_id', '=', deliveryId)
    .limit(1)
    .executeTakeFirst();
  await trx.deleteFrom('delivery_order').where('delivery_id', '=', deliveryId).execute();
  return next !== undefined;
}
