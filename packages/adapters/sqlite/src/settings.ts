import type { SettingRepository } from '@nowcast/ports';
import type { Kysely } from 'kysely';
import type { Tables } from './schema.ts';

/** Not reachable by `get` and `set`: callers' keys carry a prefix. */
export const setupTokenKey = 'setup_token';
const prefix = 'value:';

export class SqliteSettings implements SettingRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  get(key: string): Promise<string | undefined> {
    return this.#read(prefix + key);
  }

  set(key: string, value: string): Promise<void> {
    return write(this.#db, prefix + key, value);
  }

  setSetupToken(tokenHash: string): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const tenant = await trx.selectFrom('tenants').select('tenant_id').limit(1).executeTakeFirst();
      if (tenant !== undefined) return false;
      await write(trx, setupTokenKey, tokenHash);
      return true;
    });
  }

  setupToken(): Promise<string | undefined> {
    return this.#read(setupTokenKey);
  }

  async #read(key: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('settings')
      .select('value')
      .where('key', '=', key)
      .executeTakeFirst();
    return row?.value;
  }
}

async function write(db: Kysely<Tables>, key: string, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((conflicting) => conflicting.column('key').doUpdateSet({ value }))
    .execute();
}
