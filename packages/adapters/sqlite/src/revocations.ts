import type { EndedSession, Revocation } from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

/** Far more than any process falls behind between two looks; who does, looks up what it holds again in time. */
const rowsKept = 10_000;

/**
 * Writes what is taken away, in the transaction that takes it away, so that another process on the same file hears of
 * it. The command line beside a running server is such a process: without this, its "key delete" would leave the
 * key's sockets open until somebody looked up each of them again.
 *
 *   process A: begin → delete session → record it → commit
 *   process B: "somebody else has committed" (SQLite's data_version) → read the others' rows after the last one
 *
 * Rows name sessions and keys, never people: who signs in again right after the change has a session that no row
 * names, and is not thrown out by a row that is read late.
 */
export class RevocationLog {
  readonly #origin: string;

  /** `origin` names this process's store; its own rows are no news to it. */
  constructor(origin: string) {
    this.#origin = origin;
  }

  sessions(trx: Transaction<Tables>, ended: readonly EndedSession[]): Promise<void> {
    return this.#record(
      trx,
      'session',
      ended.map(({ sessionId, tenantId }) => ({ id: sessionId, tenant: tenantId })),
    );
  }

  key(trx: Transaction<Tables>, keyId: string, tenantId: string): Promise<void> {
    return this.#record(trx, 'key', [{ id: keyId, tenant: tenantId }]);
  }

  async #record(
    trx: Transaction<Tables>,
    kind: 'session' | 'key',
    revoked: readonly { id: string; tenant: string }[],
  ): Promise<void> {
    if (revoked.length === 0) return;
    await sql`insert into revocations (origin, kind, id, tenant_id)
      select ${this.#origin}, ${kind}, value ->> 'id', value ->> 'tenant'
      from json_each(${JSON.stringify(revoked)})`.execute(trx);
    await sql`delete from revocations
      where position <= (select max(position) from revocations) - ${rowsKept}`.execute(trx);
  }
}

/** Tells of what other processes record. `check` is called when one of them has committed something. */
export class RevocationFeed {
  readonly #db: Kysely<Tables>;
  readonly #origin: string;
  readonly #tell: (revocation: Revocation) => void;
  #position = 0;
  /** Checks run one after the other, each over the rows that the one before left. */
  #checking: Promise<void> = Promise.resolve();

  constructor(db: Kysely<Tables>, origin: string, tell: (revocation: Revocation) => void) {
    this.#db = db;
    this.#origin = origin;
    this.#tell = tell;
  }

  /** What was revoked before is in nobody's memory yet: only what comes now is told. */
  async start(): Promise<void> {
    const last = await this.#db
      .selectFrom('revocations')
      .select(({ fn }) => fn.max('position').as('position'))
      .executeTakeFirst();
    this.#position = last?.position ?? 0;
  }

  check(): void {
    // What cannot be read now is read by the next check.
    this.#checking = this.#checking.then(() => this.#read()).catch(() => undefined);
  }

  async #read(): Promise<void> {
    const rows = await this.#db
      .selectFrom('revocations')
      .select(['position', 'origin', 'kind', 'id', 'tenant_id'])
      .where('position', '>', this.#position)
      .orderBy('position')
      .execute();
    for (const { position, origin, kind, id, tenant_id } of rows) {
      this.#position = position;
      if (origin !== this.#origin) this.#tell({ kind, id, tenant: tenant_id });
    }
  }
}
