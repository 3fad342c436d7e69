import type { PolicyContents, PolicyKind, PolicyRepository, PolicyRow } from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import { policyFromRow } from './alert-rows.ts';
import type { Tables } from './schema.ts';

/** Policies of one kind with their owner's name. */
function selectPolicies(db: Kysely<Tables>, tenantId: string, kind: PolicyKind) {
  return db
    .selectFrom('alert_policies')
    .innerJoin('users', 'users.user_id', 'alert_policies.user_id')
    .selectAll('alert_policies')
    .select('users.name as owner_name')
    .where('alert_policies.tenant_id', '=', tenantId)
    .where('alert_policies.kind', '=', kind);
}

export class SqliteAlertPolicies implements PolicyRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async list<K extends PolicyKind>(tenantId: string, kind: K): Promise<PolicyRow<K>[]> {
    const rows = await selectPolicies(this.#db, tenantId, kind)
      .orderBy('alert_policies.created_at')
      .orderBy('alert_policies.policy_id')
      .execute();
    return rows.map((row) => policyFromRow(kind, row));
  }

  async get<K extends PolicyKind>(tenantId: string, kind: K, id: string): Promise<PolicyRow<K> | undefined> {
    const row = await selectPolicies(this.#db, tenantId, kind)
      .where('alert_policies.policy_id', '=', id)
      .executeTakeFirst();
    return row && policyFromRow(kind, row);
  }

  create<K extends PolicyKind>(
    tenantId: string,
    policy: Omit<PolicyRow<K>, 'tenantId' | 'ownerName'>,
    most: number,
  ): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const { count } = await trx
        .selectFrom('alert_policies')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenantId)
        .where('kind', '=', policy.kind)
        .executeTakeFirstOrThrow();
      if (count >= most && !(await forgetEnded(trx, tenantId, policy))) return false;
      await trx
        .insertInto('alert_policies')
        .values({
          policy_id: policy.id,
          tenant_id: tenantId,
          kind: policy.kind,
          user_id: policy.userId,
          content: JSON.stringify(policy.content),
          created_at: policy.createdAt,
        })
        .execute();
      return true;
    });
  }

  async update<K extends PolicyKind>(
    tenantId: string,
    kind: K,
    id: string,
    content: PolicyContents[K],
  ): Promise<boolean> {
    const updated = await this.#db
      .updateTable('alert_policies')
      .set({ content: JSON.stringify(content) })
      .where('tenant_id', '=', tenantId)
      .where('kind', '=', kind)
      .where('policy_id', '=', id)
      .executeTakeFirst();
    return updated.numUpdatedRows === 1n;
  }

  async delete(tenantId: string, kind: PolicyKind, id: string): Promise<boolean> {
    const deleted = await this.#db
      .deleteFrom('alert_policies')
      .where('tenant_id', '=', tenantId)
      .where('kind', '=', kind)
      .where('policy_id', '=', id)
      .executeTakeFirst();
    return deleted.numDeletedRows === 1n;
  }
}

/** Of the silences that are over, the one that ended first; returns whether there was one. */
async function forgetEnded(
  trx: Transaction<Tables>,
  tenantId: string,
  { kind, createdAt }: Pick<PolicyRow<PolicyKind>, 'kind' | 'createdAt'>,
): Promise<boolean> {
  if (kind !== 'silence') return false;
  const end = sql<number>`content ->> '$.to'`;
  const { numDeletedRows } = await trx
    .deleteFrom('alert_policies')
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', kind)
    .where('policy_id', '=', (eb) =>
      eb
        .selectFrom('alert_policies')
        .select('policy_id')
        .where('tenant_id', '=', tenantId)
        .where('kind', '=', kind)
        .where(end, '<=', createdAt)
        .orderBy(end)
        .limit(1),
    )
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Rules and policies of somebody who leaves go on working in another's name. */
export async function handOverAlerting(
  trx: Transaction<Tables>,
  tenantId: string,
  fromUserId: string,
  toUserId: string,
): Promise<void> {
  for (const table of ['alert_rules', 'alert_policies'] as const) {
    await trx
      .updateTable(table)
      .set({ user_id: toUserId })
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', fromUserId)
      .execute();
  }
}
