import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

/**
 * Forgetting in steps. A year of alerts deleted by one transaction would keep every other writer waiting, the notifier
 * among them, for as long as that takes; each step is a transaction of its own and what is left is done next time.
 */
const rowsAtOnce = 500;

/** Returns how many alerts were forgotten. */
export async function forgetBefore(db: Kysely<Tables>, time: number): Promise<number> {
  const alerts = await untilDone(db, (trx) => forgetAlerts(trx, time));
  for (const forget of [forgetTransitions, forgetNotifications, forgetDeliveries])
    await untilDone(db, (trx) => forget(trx, time));
  return alerts;
}

async function untilDone(
  db: Kysely<Tables>,
  step: (trx: Transaction<Tables>) => Promise<bigint>,
): Promise<number> {
  let sum = 0;
  for (;;) {
    const deleted = Number(await db.transaction().execute(step));
    sum += deleted;
    if (deleted < rowsAtOnce) return sum;
  }
}

/** With their events, which refer to them. */
async function forgetAlerts(trx: Transaction<Tables>, time: number): Promise<bigint> {
  const { numDeletedRows } = await trx
    .deleteFrom('alerts')
    .where((eb) =>
      eb(
        eb.refTuple('tenant_id', 'alert_id'),
        'in',
        eb
          .selectFrom('alerts as old')
          .select(['old.tenant_id', 'old.alert_id'])
          .where('old.state', '=', 'resolved')
          .where('old.resolved_at', '<', time)
          .limit(rowsAtOnce)
          .$asTuple('tenant_id', 'alert_id'),
      ),
    )
    .executeTakeFirst();
  return numDeletedRows;
}

/** Those of alerts that are forgotten, or were never known. */
async function forgetTransitions(trx: Transaction<Tables>, time: number): Promise<bigint> {
  const { numDeletedRows } = await trx
    .deleteFrom('alert_transitions')
    .where('position', 'in', (eb) =>
      eb
        .selectFrom('alert_transitions as old')
        .select('old.position')
        .where('old.at', '<', time)
        .where((old) =>
          old.not(
            old.exists(
              old
                .selectFrom('alerts')
                .select(sql.lit(1).as('one'))
                .whereRef('alerts.tenant_id', '=', 'old.tenant_id')
                .whereRef('alerts.alert_id', '=', 'old.alert_id'),
            ),
          ),
        )
        .limit(rowsAtOnce),
    )
    .executeTakeFirst();
  return numDeletedRows;
}

async function forgetNotifications(trx: Transaction<Tables>, time: number): Promise<bigint> {
  const { numDeletedRows } = await trx
    .deleteFrom('notifications')
    .where('notification_id', 'in', (eb) =>
      eb
        .selectFrom('notifications as old')
        .select('old.notification_id')
        .where('old.timestamp', '<', time)
        .limit(rowsAtOnce),
    )
    .executeTakeFirst();
  return numDeletedRows;
}

/** Those that have ended: what is still owed is sent. */
async function forgetDeliveries(trx: Transaction<Tables>, time: number): Promise<bigint> {
  const { numDeletedRows } = await trx
    .deleteFrom('alert_deliveries')
    .where('delivery_id', 'in', (eb) =>
      eb
        .selectFrom('alert_deliveries as old')
        .select('old.delivery_id')
        .where('old.at', '<', time)
        .where('old.due_at', 'is', null)
        .limit(rowsAtOnce),
    )
    .executeTakeFirst();
  return numDeletedRows;
}
