import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

/**
 * Forgetting in steps. A year of alerts deleted by one transaction would keep every other writer waiting, the notifier
 * among them, for as long as that takes; each step is a transaction of its own that finds its rows by an index.
 */
const rowsAtOnce = 500;

/** One step of each kind; returns whether one of them found as much as it takes. */
export async function forgetBefore(
  db: Kysely<Tables>,
  { time, neverFired }: { time: number; neverFired: number },
): Promise<boolean> {
  let isMore = false;
  const steps: [(trx: Transaction<Tables>, time: number) => Promise<bigint>, number][] = [
    [forgetNeverFired, neverFired],
    [(trx, before) => deleteAlerts(trx, oldAlerts(trx, before, 'is not')), time],
    [forgetTransitions, time],
    [forgetNotifications, time],
    [forgetDeliveries, time],
  ];
  for (const [step, before] of steps) {
    const deleted = await db.transaction().execute((trx) => step(trx, before));
    isMore ||= deleted >= rowsAtOnce;
  }
  return isMore;
}

/** Over before a time; each of both kinds in the order of an index of its own. */
function oldAlerts(trx: Transaction<Tables>, time: number, fired: 'is' | 'is not') {
  return trx
    .selectFrom('alerts')
    .where('state', '=', 'resolved')
    .where('fired_at', fired, null)
    .where('resolved_at', '<', time)
    .orderBy('resolved_at')
    .orderBy('tenant_id')
    .orderBy('alert_id')
    .limit(rowsAtOnce);
}

/** With their events, which refer to them. */
async function deleteAlerts(trx: Transaction<Tables>, old: ReturnType<typeof oldAlerts>): Promise<bigint> {
  const { numDeletedRows } = await trx
    .deleteFrom('alerts')
    .where((eb) =>
      eb(
        eb.refTuple('tenant_id', 'alert_id'),
        'in',
        old.select(['tenant_id', 'alert_id']).$asTuple('tenant_id', 'alert_id'),
      ),
    )
    .executeTakeFirst();
  return numDeletedRows;
}

/** Their transitions lie between their beginning and their end. */
async function forgetNeverFired(trx: Transaction<Tables>, time: number): Promise<bigint> {
  const old = oldAlerts(trx, time, 'is');
  await trx
    .deleteFrom('alert_transitions')
    .where('position', 'in', (eb) =>
      eb
        .selectFrom(old.select(['tenant_id', 'rule_id', 'alert_id', 'since', 'resolved_at']).as('old'))
        .innerJoin('alert_transitions as its', (join) =>
          join
            .onRef('its.tenant_id', '=', 'old.tenant_id')
            .onRef('its.rule_id', '=', 'old.rule_id')
            .onRef('its.alert_id', '=', 'old.alert_id')
            .onRef('its.at', '>=', 'old.since')
            .onRef('its.at', '<=', 'old.resolved_at'),
        )
        .select('its.position'),
    )
    .execute();
  return deleteAlerts(trx, old);
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
