import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appError } from '@nowcast/contract';
import { randomId, type Unsubscribe } from '@nowcast/kernel';
import type {
  AlertStore,
  BoardRepository,
  KeyRepository,
  MemberRepository,
  MetaStore,
  Revocation,
  SessionRepository,
  SettingRepository,
  TenantRepository,
  UserRepository,
} from '@nowcast/ports';
import { Kysely } from 'kysely';
import { sqliteAlertStore } from './alert-store.ts';
import { SqliteBoards } from './boards.ts';
import { SqliteKeys, SqliteSessions } from './credentials.ts';
import { SqliteMembers } from './members.ts';
import { migrate } from './migrations.ts';
import { SqliteTenants, SqliteUsers } from './people.ts';
import { RevocationFeed, RevocationLog } from './revocations.ts';
import type { Tables } from './schema.ts';
import { SqliteSettings } from './settings.ts';
import { SqliteClient } from './sqlite-client.ts';
import { workerDialect } from './worker-dialect.ts';

interface Opened {
  db: Kysely<Tables>;
  tenants: TenantRepository;
  users: UserRepository;
  members: MemberRepository;
  sessions: SessionRepository;
  keys: KeyRepository;
  boards: BoardRepository;
  settings: SettingRepository;
  alerting: AlertStore;
}

/** How soon this process hears of what another one revokes. */
const watchMs = 250;

/**
 * The embedded `MetaStore`: one SQLite file in WAL mode with `synchronous=FULL` (a commit that was answered survives
 * a power cut), read and written on a thread of its own. Other processes of this machine may have it open too.
 */
export class SqliteMetaStore implements MetaStore {
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  readonly #listeners = new Set<(revocation: Revocation) => void>();
  #opened: Opened | undefined;

  constructor(options: { path: string; busyTimeoutMs?: number }) {
    this.#path = options.path;
    this.#busyTimeoutMs = options.busyTimeoutMs ?? 5000;
  }

  /** Opens (creating it, readable by this user only) and migrates the file. */
  async run(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    // SQLite gives its -wal and -shm files the mode of the database file: password hashes are in all of them.
    const file = await open(this.#path, 'a', 0o600);
    await file.close();
    const busyTimeoutMs = this.#busyTimeoutMs;
    const client = await SqliteClient.open({ path: this.#path, busyTimeoutMs, watchMs });
    const db = new Kysely<Tables>({ dialect: workerDialect(client) });
    const origin = randomId('store');
    const feed = new RevocationFeed(db, origin, (revocation) => this.#tell(revocation));
    try {
      await migrate(db);
      client.onChangedElsewhere = () => feed.check();
      await feed.start();
    } catch (error) {
      await db.destroy();
      throw error;
    }
    const revocations = new RevocationLog(origin);
    this.#opened = {
      db,
      tenants: new SqliteTenants(db),
      users: new SqliteUsers(db, revocations),
      members: new SqliteMembers(db, revocations),
      sessions: new SqliteSessions(db, revocations),
      keys: new SqliteKeys(db, revocations),
      boards: new SqliteBoards(db),
      settings: new SqliteSettings(db),
      alerting: sqliteAlertStore(db),
    };
  }

  async stop(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.db.destroy();
  }

  onRevoked(listener: (revocation: Revocation) => void): Unsubscribe {
    const entry = (revocation: Revocation): void => listener(revocation);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  #tell(revocation: Revocation): void {
    for (const listener of this.#listeners) listener(revocation);
  }

  get tenants(): TenantRepository {
    return this.#running().tenants;
  }

  get users(): UserRepository {
    return this.#running().users;
  }

  get members(): MemberRepository {
    return this.#running().members;
  }

  get sessions(): SessionRepository {
    return this.#running().sessions;
  }

  get keys(): KeyRepository {
    return this.#running().keys;
  }

  get boards(): BoardRepository {
    return this.#running().boards;
  }

  get settings(): SettingRepository {
    return this.#running().settings;
  }

  get alerting(): AlertStore {
    return this.#running().alerting;
  }

  #running(): Opened {
    if (this.#opened === undefined)
      throw appError('server.unavailable', 'The store of users and boards is not running');
    return this.#opened;
  }
}
