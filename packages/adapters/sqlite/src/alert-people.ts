import type { NotificationPreferences } from '@nowcast/contract';
import type { AlertPeopleRepository, PushDeviceRow } from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import { deviceFromRow, preferencesFromText } from './alert-rows.ts';
import type { Tables } from './schema.ts';

export class SqliteAlertPeople implements AlertPeopleRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async preferences(tenantId: string, userId: string): Promise<NotificationPreferences | undefined> {
    const row = await this.#db
      .selectFrom('notification_preferences')
      .select('content')
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .executeTakeFirst();
    return row && preferencesFromText(row.content);
  }

  async setPreferences(
    tenantId: string,
    userId: string,
    preferences: NotificationPreferences,
  ): Promise<void> {
    const content = JSON.stringify(preferences);
    await this.#db.transaction().execute(async (trx) => {
      if (!(await isMember(trx, tenantId, userId))) return;
      await trx
        .insertInto('notification_preferences')
        .values({ tenant_id: tenantId, user_id: userId, content })
        .onConflict((conflicting) => conflicting.columns(['tenant_id', 'user_id']).doUpdateSet({ content }))
        .execute();
    });
  }

  async devices(tenantId: string, userId: string): Promise<PushDeviceRow[]> {
    const rows = await this.#db
      .selectFrom('push_devices')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .orderBy('created_at')
      .orderBy('device_id')
      .execute();
    return rows.map(deviceFromRow);
  }

  async device(tenantId: string, userId: string, deviceId: string): Promise<PushDeviceRow | undefined> {
    const row = await this.#db
      .selectFrom('push_devices')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .where('device_id', '=', deviceId)
      .executeTakeFirst();
    return row && deviceFromRow(row);
  }

  addDevice(device: PushDeviceRow, most: number): Promise<string | false> {
    return this.#db.transaction().execute(async (trx) => {
      if (!(await isMember(trx, device.tenantId, device.userId))) return false;
      // Somebody else signed in with this browser: what it shows is theirs from now on.
      await trx
        .deleteFrom('push_devices')
        .where('endpoint', '=', device.endpoint)
        .where('user_id', '!=', device.userId)
        .execute();
      return replaceDevice(trx, device, most);
    });
  }

  async noteDevice(deviceId: string, last: { at: number; ok: boolean; error: string }): Promise<void> {
    await this.#db
      .updateTable('push_devices')
      .set({ last_at: last.at, last_ok: Number(last.ok), last_error: last.error })
      .where('device_id', '=', deviceId)
      .execute();
  }

  async deleteDevice(tenantId: string, userId: string, deviceId: string): Promise<boolean> {
    const deleted = await this.#db
      .deleteFrom('push_devices')
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .where('device_id', '=', deviceId)
      .executeTakeFirst();
    return deleted.numDeletedRows === 1n;
  }
}

async function isMember(trx: Transaction<Tables>, tenantId: string, userId: string): Promise<boolean> {
  const member = await trx
    .selectFrom('memberships')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return member !== undefined;
}

async function replaceDevice(
  trx: Transaction<Tables>,
  device: PushDeviceRow,
  most: number,
): Promise<string | false> {
  const { tenantId, userId, endpoint, p256dh, auth, last } = device;
  const columns = {
    p256dh,
    auth,
    device: device.device,
    created_at: device.createdAt,
    last_at: last?.at ?? null,
    last_ok: last === undefined ? null : Number(last.ok),
    last_error: last?.error ?? null,
  };
  const replaced = await trx
    .updateTable('push_devices')
    .set(columns)
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('endpoint', '=', endpoint)
    .returning('device_id')
    .executeTakeFirst();
  if (replaced !== undefined) return replaced.device_id;
  const { count } = await trx
    .selectFrom('push_devices')
    .select(sql<number>`count(*)`.as('count'))
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  if (count >= most) return false;
  await trx
    .insertInto('push_devices')
    .values({ device_id: device.deviceId, tenant_id: tenantId, user_id: userId, endpoint, ...columns })
    .execute();
  return device.deviceId;
}
