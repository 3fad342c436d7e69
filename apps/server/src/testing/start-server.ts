import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessService, can } from '@nowcast/access';
import { AlertService } from '@nowcast/alerts';
import type { Actor, Role, Scope } from '@nowcast/contract';
import { DashboardService } from '@nowcast/dashboards';
import { systemClock } from '@nowcast/kernel';
import { metaStoreOf, openDirectSend } from '../embedded.ts';
import { createLogger } from '../log.ts';
import { nothingOutgoing, StoredOutgoing } from '../outgoing/stored-outgoing.ts';
import { BodyPool } from '../http/body-pool.ts';
import { NowcastServer, type ServerOptions } from '../server.ts';
import { ScriptedEngine } from './scripted-engine.ts';

export interface TestServer {
  url: string;
  port: number;
  /** Its data folder; gone after `stop`. */
  dataDir: string;
  server: NowcastServer;
  access: AccessService;
  engine: ScriptedEngine;
  owner: { tenant_id: string; user_id: string };
  /** Everything that was logged. */
  logs: string[];
  /** Adds a person and signs them in. */
  signIn: (role: Role) => Promise<{ token: string; cookie: string; userId: string; login: string }>;
  /** The same users and keys, opened the way another process does. */
  otherProcess: () => Promise<{ elsewhere: AccessService; stop: () => Promise<void> }>;
  makeKey: (...scopes: Scope[]) => Promise<{ secret: string; keyId: string }>;
  stop: () => Promise<void>;
}

export const testPassword = 'correct horse battery';

/** A real server on a free port, real users in a real SQLite file, and a data plane that the test drives. */
export async function startTestServer(
  options: Partial<ServerOptions> & { fresh?: boolean } = {},
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-server-'));
  const store = metaStoreOf(folder);
  const access = new AccessService({ store, clock: systemClock });
  const engine = new ScriptedEngine();
  const logs: string[] = [];
  await store.run();
  await access.run();
  const outgoing = new StoredOutgoing(store, nothingOutgoing, undefined);
  await outgoing.run();
  const alerts = new AlertService({
    store,
    evaluation: engine.alerts,
    outgoing,
    clock: systemClock,
    can,
    onRevoked: (listener) => access.onRevoked(listener),
    publicUrl: () => server.url,
    log: (level, message, fields) => logs.push(JSON.stringify({ level, message, ...fields })),
  });
  await alerts.run();
  const server: NowcastServer = new NowcastServer({
    access,
    alerts,
    deliveryCounts: () => store.alerting.deliveries.counts(),
    boards: new DashboardService({ store, clock: systemClock, can }),
    engine,
    listen: '127.0.0.1',
    port: 0,
    publicUrl: undefined,
    tls: undefined,
    allowPlainHttp: false,
    trustedProxies: [],
    maxConnections: 10_000,
    maxConnectionsPerAddress: 10_000,
    drainMs: 0,
    directSend: await openDirectSend(),
    bodies: new BodyPool(),
    webDir: join(folder, 'no-page'),
    version: '0.0.0-test',
    log: createLogger({
      level: 'debug',
      format: 'json',
      write: (line) => logs.push(line),
      now: () => Date.now(),
    }),
    ...options,
  });
  await server.run();
  await alerts.sending.run();
  const owner = options.fresh === true ? { tenant_id: '', user_id: '' } : await found(access);
  const operator: Actor = { kind: 'operator', tenant_id: owner.tenant_id };
  let people = 0;
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    dataDir: folder,
    server,
    access,
    engine,
    owner,
    logs,
    signIn: async (role) => {
      const login = `person${++people}`;
      const person = {
        name: login,
        email: `${login}@example.com`,
        username: login,
        password: testPassword,
        role,
      };
      const user = await access.members.create(operator, person);
      const { answer } = await access.logins.login(
        { login, password: testPassword },
        { ip: '::1', userAgent: 'test' },
      );
      return { token: answer.token, cookie: `nowcast=${answer.token}`, userId: user.user_id, login };
    },
    otherProcess: async () => {
      const other = metaStoreOf(folder);
      await other.run();
      const elsewhere = new AccessService({ store: other, clock: systemClock });
      return {
        elsewhere,
        stop: async () => {
          await elsewhere.stop();
          await other.stop();
        },
      };
    },
    makeKey: async (...scopes) => {
      const key = await access.keys.create(operator, { name: 'test', scopes });
      return { secret: key.secret ?? '', keyId: key.key_id };
    },
    stop: async () => {
      await alerts.sending.stop();
      await server.stop();
      await alerts.stop();
      await outgoing.stop();
      await access.stop();
      await store.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function found(access: AccessService): Promise<{ tenant_id: string; user_id: string }> {
  const { tenantId, user } = await access.logins.setupLocally({
    organisation: 'Acme',
    name: 'Owner',
    email: 'owner@example.com',
    username: 'owner',
    password: testPassword,
  });
  return { tenant_id: tenantId, user_id: user.userId };
}

/** Resolves once `condition` holds; the test's own timeout ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
