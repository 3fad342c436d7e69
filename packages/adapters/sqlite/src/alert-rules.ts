import type { RuleContent } from '@nowcast/contract';
import type { RuleRepository, RuleRow } from '@nowcast/ports';
import type { Kysely } from 'kysely';
import { foldText } from './alert-page.ts';
import { ruleFromRow } from './alert-rows.ts';
import type { Tables } from './schema.ts';

/** Rules with their owner's name. */
function selectRules(db: Kysely<Tables>) {
  return db
    .selectFrom('alert_rules')
    .innerJoin('users', 'users.user_id', 'alert_rules.user_id')
    .selectAll('alert_rules')
    .select('users.name as owner_name');
}

function contentColumns(content: RuleContent) {
  return { name_key: foldText(content.name), content: JSON.stringify(content) };
}

export class SqliteAlertRules implements RuleRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  create(
    tenantId: string,
    rule: Omit<RuleRow, 'tenantId' | 'ownerName'>,
    maxRules: number,
  ): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const { count } = await trx
        .selectFrom('alert_rules')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenantId)
        .executeTakeFirstOrThrow();
      if (count >= maxRules) return false;
      await trx
        .insertInto('alert_rules')
        .values({
          rule_id: rule.ruleId,
          tenant_id: tenantId,
          user_id: rule.userId,
          ...contentColumns(rule.content),
          version: rule.version,
          evaluation_version: rule.evaluationVersion,
          created_at: rule.createdAt,
          updated_at: rule.updatedAt,
          problem: rule.problem ?? null,
        })
        .execute();
      return true;
    });
  }

  async list(tenantId: string): Promise<RuleRow[]> {
    const rows = await selectRules(this.#db)
      .where('alert_rules.tenant_id', '=', tenantId)
      .orderBy('alert_rules.name_key')
      .orderBy('alert_rules.rule_id')
      .execute();
    return rows.map(ruleFromRow);
  }

  async listAll(): Promise<RuleRow[]> {
    const rows = await selectRules(this.#db)
      .orderBy('alert_rules.tenant_id')
      .orderBy('alert_rules.rule_id')
      .execute();
    return rows.map(ruleFromRow);
  }

  async get(tenantId: string, ruleId: string): Promise<RuleRow | undefined> {
    const row = await selectRules(this.#db)
      .where('alert_rules.tenant_id', '=', tenantId)
      .where('alert_rules.rule_id', '=', ruleId)
      .executeTakeFirst();
    return row && ruleFromRow(row);
  }

  save(
    tenantId: string,
    ruleId: string,
    save: { content: RuleContent; baseVersion: number; evaluationVersion: number; at: number },
  ): Promise<{ saved: boolean; version: number } | undefined> {
    return this.#db.transaction().execute(async (trx) => {
      const current = await trx
        .selectFrom('alert_rules')
        .select('version')
        .where('tenant_id', '=', tenantId)
        .where('rule_id', '=', ruleId)
        .executeTakeFirst();
      if (current === undefined) return undefined;
      if (current.version !== save.baseVersion) return { saved: false, version: current.version };
      const version = current.version + 1;
      await trx
        .updateTable('alert_rules')
        .set({
          ...contentColumns(save.content),
          version,
          evaluation_version: save.evaluationVersion,
          updated_at: save.at,
        })
        .where('tenant_id', '=', tenantId)
        .where('rule_id', '=', ruleId)
        .execute();
      return { saved: true, version };
    });
  }

  async restore({
    tenantId,
    ruleId,
    content,
    version,
    evaluationVersion,
    updatedAt,
  }: RuleRow): Promise<boolean> {
    const restored = await this.#db
      .updateTable('alert_rules')
      .set({
        ...contentColumns(content),
        version,
        evaluation_version: evaluationVersion,
        updated_at: updatedAt,
      })
      .where('tenant_id', '=', tenantId)
      .where('rule_id', '=', ruleId)
      .where('version', '=', version + 1)
      .executeTakeFirst();
    return restored.numUpdatedRows === 1n;
  }

  async setProblem(tenantId: string, ruleId: string, problem: string | undefined): Promise<void> {
    await this.#db
      .updateTable('alert_rules')
      .set({ problem: problem ?? null })
      .where('tenant_id', '=', tenantId)
      .where('rule_id', '=', ruleId)
      .execute();
  }

  async delete(tenantId: string, ruleId: string): Promise<boolean> {
    const deleted = await this.#db
      .deleteFrom('alert_rules')
      .where('tenant_id', '=', tenantId)
      .where('rule_id', '=', ruleId)
      .executeTakeFirst();
    return deleted.numDeletedRows === 1n;
  }
}
