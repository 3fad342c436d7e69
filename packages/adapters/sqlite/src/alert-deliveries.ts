import type { Delivery } from '@nowcast/contract';
import type { BusyDeliveries, DeliveryRepository, DeliveryRow } from '@nowcast/ports';
import type { Kysely, Transaction } from 'kysely';
import { oneOf } from './alert-page.ts';
import { deliveryFromRow } from './alert-rows.ts';
import { isFirst, isOver, leaveOrder, tagsOf } from './delivery-order.ts';
import type { Tables } from './schema.ts';

type Outcome = Parameters<DeliveryRepository['finish']>[1];

export class SqliteDeliveries implements DeliveryRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async due(
    now: number,
    limit: number,
    { ways, tenants }: BusyDeliveries = { ways: [], tenants: [] },
  ): Promise<DeliveryRow[]> {
    let query = this.#due(now);
    if (tenants.length > 0) query = query.where('tenant_id', 'not in', oneOf(tenants));
    // A channel is the same way when it has another name by now.
    const channels = ways.flatMap((via) => (via.kind === 'channel' ? [via.channelId] : []));
    const others = ways.flatMap((via) => (via.kind === 'channel' ? [] : [JSON.stringify(via)]));
    if (channels.length > 0)
      query = query.where((eb) =>
        eb.or([eb('channel_id', 'is', null), eb('channel_id', 'not in', oneOf(channels))]),
      );
    if (others.length > 0) query = query.where('via', 'not in', oneOf(others));
    const rows = await query.where(isFirst).limit(limit).execute();
    return rows.map(deliveryFromRow);
  }

  async dueOfDigest(digestKey: string, now: number, limit: number): Promise<DeliveryRow[]> {
    const rows = await this.#due(now).where('digest_key', '=', digestKey).limit(limit).execute();
    return rows.map(deliveryFromRow);
  }

  #due(now: number) {
    return this.#db
      .selectFrom('alert_deliveries')
      .selectAll()
      .select(tagsOf)
      .where('due_at', '<=', now)
      .where('message', 'is not', null)
      .orderBy('due_at')
      .orderBy('at')
      .$narrowType<{ message: string; due_at: number }>();
  }

  async nextDue(): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('alert_deliveries')
      .select('due_at')
      .where('due_at', 'is not', null)
      .where(isFirst)
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst();
    return row?.due_at ?? undefined;
  }

  isOver(deliveryId: string): Promise<boolean> {
    return isOver(this.#db, deliveryId);
  }

  finish(deliveryId: string, outcome: Outcome): Promise<boolean> {
    const { status, attempts, error, at, dueAt, delayMs } = outcome;
    const goesOn = status === 'waiting' || status === 'retrying';
    return this.#db.transaction().execute(async (trx) => {
      const row = await trx
        .updateTable('alert_deliveries')
        .set({ status, attempts, error, at })
        // Its text and picture are needed for sending only, and weigh more than all the rest of the row.
        .set(goesOn ? { due_at: dueAt ?? at } : { due_at: null, message: null })
        .where('delivery_id', '=', deliveryId)
        .returning(['tenant_id', 'notification_id'])
        .executeTakeFirst();
      if (row === undefined) return false;
      if (status === 'sent' && delayMs !== undefined) await noteDelay(trx, row, delayMs);
      return !goesOn && (await leaveOrder(trx, deliveryId));
    });
  }

  async lastOfChannels(tenantId: string): Promise<Map<string, { at: number; ok: boolean; error: string }>> {
    const rows = await this.#db
      .selectFrom('alert_policies')
      .innerJoin('alert_deliveries', (join) =>
        join.on('alert_deliveries.delivery_id', '=', (eb) =>
          eb
            .selectFrom('alert_deliveries as ended')
            .select('ended.delivery_id')
            .whereRef('ended.tenant_id', '=', 'alert_policies.tenant_id')
            .whereRef('ended.channel_id', '=', 'alert_policies.policy_id')
            .where('ended.status', 'in', ['sent', 'failed'])
            .orderBy('ended.at', 'desc')
            .limit(1),
        ),
      )
      .select(['alert_policies.policy_id', 'alert_deliveries.at', 'alert_deliveries.status', 'error'])
      .where('alert_policies.tenant_id', '=', tenantId)
      .where('alert_policies.kind', '=', 'channel')
      .execute();
    return new Map(
      rows.map(({ policy_id: id, at, status, error }) => [id, { at, ok: status === 'sent', error }]),
    );
  }

  async counts(): Promise<Record<Delivery['status'], number>> {
    const rows = await this.#db
      .selectFrom('alert_deliveries')
      .select(({ fn }) => ['status' as const, fn.countAll<number>().as('count')])
      .groupBy('status')
      .execute();
    const counts = { waiting: 0, sent: 0, retrying: 0, failed: 0, skipped: 0 };
    for (const { status, count } of rows) counts[status] = count;
    return counts;
  }
}

async function noteDelay(
  trx: Transaction<Tables>,
  row: { tenant_id: string; notification_id: string | null },
  delayMs: number,
): Promise<void> {
  await trx
    .updateTable('notifications')
    .set({ delay_ms: delayMs })
    .where('tenant_id', '=', row.tenant_id)
    .where('notification_id', '=', row.notification_id)
    .where('delay_ms', 'is', null)
    .execute();
}
