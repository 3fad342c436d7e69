import { appError } from '@nowcast/contract';
import type { AlertChange, NewDelivery } from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import { oneOf } from './alert-page.ts';
import { alertToRow, deliveryToRow, eventToRow, inboxToRow, transitionToRow } from './alert-rows.ts';
import { hurryBefore, orderRows } from './delivery-order.ts';
import type { Tables } from './schema.ts';

/** Highest position of a batch, among the settings but not reachable by their `get` and `set`. */
const positionKey = 'alert_position';
/** Rows of one insert: SQLite binds at most 32,766 values a statement, an alert has 28. */
const rowsAtOnce = 200;

/** Writes a change; runs inside the one transaction that makes its consequences happen once. */
export async function writeChange(trx: Transaction<Tables>, change: AlertChange): Promise<void> {
  const known = await findKnown(
    trx,
    change.transitions.map((transition) => transition.transition_id),
  );
  if (known.size > 0)
    throw appError('request.conflict', 'Some of these transitions are stored already; leave them out', {
      details: { reason: 'known_transition' },
    });
  for (const rows of chunks(change.alerts.map(alertToRow))) await upsertAlerts(trx, rows);
  for (const rows of chunks(change.transitions.map(transitionToRow)))
    await trx.insertInto('alert_transitions').values(rows).execute();
  for (const rows of chunks(change.events.map(eventToRow)))
    await trx.insertInto('alert_events').values(rows).execute();
  await writeMessages(trx, change);
  if (change.seq !== undefined) await raisePosition(trx, change.seq);
}

/** Which of these transitions are stored. */
export async function findKnown(db: Kysely<Tables>, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('alert_transitions')
    .select('transition_id')
    .where('transition_id', 'in', oneOf(ids))
    .execute();
  return new Set(rows.map((row) => row.transition_id));
}

export async function readPosition(db: Kysely<Tables>): Promise<number> {
  const row = await db
    .selectFrom('settings')
    .select('value')
    .where('key', '=', positionKey)
    .executeTakeFirst();
  return row === undefined ? 0 : Number(row.value);
}

async function raisePosition(trx: Transaction<Tables>, seq: number): Promise<void> {
  if (seq <= (await readPosition(trx))) return;
  const value = String(seq);
  await trx
    .insertInto('settings')
    .values({ key: positionKey, value })
    .onConflict((conflicting) => conflicting.column('key').doUpdateSet({ value }))
    .execute();
}

/** In place: replacing the row would take its events along. */
async function upsertAlerts(trx: Transaction<Tables>, rows: readonly Tables['alerts'][]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const replaced = Object.keys(first).map((column) => [column, sql.ref(`excluded.${column}`)]);
  await trx
    .insertInto('alerts')
    .values(rows)
    .onConflict((conflicting) =>
      conflicting.columns(['tenant_id', 'alert_id']).doUpdateSet(Object.fromEntries(replaced)),
    )
    .execute();
}

/** Leaves out people who have left since it was decided: one of them must not keep the others from hearing of it. */
async function writeMessages(trx: Transaction<Tables>, change: AlertChange): Promise<void> {
  const inbox = change.inbox.map(inboxToRow);
  const deliveries = change.deliveries.map(deliveryToRow);
  const members = await findMembers(trx, [...inbox, ...deliveries]);
  const stays = (row: Recipient): boolean => row.user_id === null || members.has(memberKey(row));
  for (const rows of chunks(inbox.filter(stays)))
    await trx
      .insertInto('notifications')
      .values(rows)
      .onConflict((conflicting) => conflicting.doNothing())
      .execute();
  const stored = new Set<string>();
  for (const rows of chunks(deliveries.filter(stays))) {
    const added = await trx
      .insertInto('alert_deliveries')
      .values(rows)
      .onConflict((conflicting) => conflicting.doNothing())
      .returning('delivery_id')
      .execute();
    for (const { delivery_id: id } of added) stored.add(id);
  }
  await putInOrder(
    trx,
    change.deliveries.filter(({ deliveryId }) => stored.has(deliveryId)),
  );
}

async function putInOrder(trx: Transaction<Tables>, deliveries: readonly NewDelivery[]): Promise<void> {
  const ordered = deliveries.filter(({ tags }) => tags.length > 0);
  if (ordered.length === 0) return;
  for (const rows of chunks(ordered.flatMap(orderRows)))
    await trx.insertInto('delivery_order').values(rows).execute();
  await hurryBefore(
    trx,
    ordered.map(({ deliveryId }) => deliveryId),
  );
}

interface Recipient {
  tenant_id: string;
  user_id: string | null;
}

const memberKey = ({ tenant_id: tenant, user_id: user }: Recipient): string => JSON.stringify([tenant, user]);

async function findMembers(trx: Transaction<Tables>, rows: readonly Recipient[]): Promise<Set<string>> {
  const people = new Set(rows.map((row) => row.user_id).filter((id) => id !== null));
  if (people.size === 0) return new Set();
  const members = await trx
    .selectFrom('memberships')
    .select(['tenant_id', 'user_id'])
    .where('user_id', 'in', oneOf([...people]))
    .execute();
  return new Set(members.map(memberKey));
}

function* chunks<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) yield rows.slice(from, from + rowsAtOnce);
}
