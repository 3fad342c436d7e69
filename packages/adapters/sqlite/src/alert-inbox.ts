import type { Delivery, Notification } from '@nowcast/contract';
import type { InboxFilter, InboxRepository } from '@nowcast/ports';
import type { Kysely } from 'kysely';
import { after, holds, oneOf, pageOf } from './alert-page.ts';
import { type NotificationColumns, notificationFromRow, shownDelivery } from './alert-rows.ts';
import type { Tables } from './schema.ts';

/** Notifications with the state their first alert has now. */
function selectInbox(db: Kysely<Tables>, tenantId: string) {
  return db
    .selectFrom('notifications')
    .leftJoin('alerts', (join) =>
      join
        .onRef('alerts.tenant_id', '=', 'notifications.tenant_id')
        .onRef('alerts.alert_id', '=', 'notifications.first_alert_id'),
    )
    .selectAll('notifications')
    .select('alerts.state as alert_state')
    .where('notifications.tenant_id', '=', tenantId);
}

export class SqliteInbox implements InboxRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async list(
    tenantId: string,
    userId: string,
    filter: InboxFilter,
  ): Promise<{ notifications: Notification[]; cursor: string | undefined }> {
    let query = selectInbox(this.#db, tenantId).where('notifications.user_id', '=', userId);
    if (filter.unread !== undefined)
      query = query.where('notifications.read_at', filter.unread ? 'is' : 'is not', null);
    if (filter.severity !== undefined) query = query.where('notifications.severity', '=', filter.severity);
    if (filter.search) query = query.where(holds('notifications.search_key', filter.search));
    if (filter.cursor !== undefined)
      query = query.where(after(filter.cursor, 'notifications.timestamp', 'notifications.notification_id'));
    const rows = await query
      .orderBy('notifications.timestamp', 'desc')
      .orderBy('notifications.notification_id', 'desc')
      .limit(filter.limit + 1)
      .execute();
    const { page, cursor } = pageOf(rows, filter.limit, (row) => ({
      at: row.timestamp,
      id: row.notification_id,
    }));
    return { notifications: await this.#withDeliveries(tenantId, page), cursor };
  }

  async get(tenantId: string, notificationId: string): Promise<Notification | undefined> {
    const rows = await selectInbox(this.#db, tenantId)
      .where('notifications.notification_id', '=', notificationId)
      .execute();
    const [notification] = await this.#withDeliveries(tenantId, rows);
    return notification;
  }

  async unread(tenantId: string, userId: string): Promise<number> {
    return countUnread(this.#db, tenantId, userId);
  }

  markRead(tenantId: string, userId: string, ids: readonly string[] | 'all', at: number): Promise<number> {
    return this.#db.transaction().execute(async (trx) => {
      let query = trx
        .updateTable('notifications')
        .set({ read_at: at })
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .where('read_at', 'is', null);
      if (ids !== 'all') query = query.where('notification_id', 'in', oneOf(ids));
      await query.execute();
      return countUnread(trx, tenantId, userId);
    });
  }

  async #withDeliveries(tenantId: string, rows: readonly NotificationColumns[]): Promise<Notification[]> {
    if (rows.length === 0) return [];
    const found = await this.#db
      .selectFrom('alert_deliveries')
      .select(['delivery_id', 'notification_id', 'via', 'status', 'attempts', 'error', 'at'])
      .where('tenant_id', '=', tenantId)
      .where('notification_id', 'in', oneOf(rows.map((row) => row.notification_id)))
      .orderBy('delivery_id')
      .execute();
    const deliveries = new Map<string, Delivery[]>();
    for (const row of found) {
      const id = row.notification_id ?? '';
      deliveries.set(id, [...(deliveries.get(id) ?? []), shownDelivery(row)]);
    }
    return rows.map((row) => notificationFromRow(row, deliveries.get(row.notification_id) ?? []));
  }
}

async function countUnread(db: Kysely<Tables>, tenantId: string, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom('notifications')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('read_at', 'is', null)
    .executeTakeFirstOrThrow();
  return count;
}
