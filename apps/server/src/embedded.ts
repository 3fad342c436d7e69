import os from 'node:os';
import { join } from 'node:path';
import { AccessService, can } from '@nowcast/access';
import { AlertService } from '@nowcast/alerts';
import { openDirectSend } from '@nowcast/adapter-direct-send';
import { MemoryLiveBus } from '@nowcast/adapter-memory';
import { SqliteMetaStore } from '@nowcast/adapter-sqlite';
import { DashboardService } from '@nowcast/dashboards';
import { type Service, systemClock } from '@nowcast/kernel';
import type { MetaStore } from '@nowcast/ports';
import { Collector } from './collector/collector.ts';
import { createEmbeddedEngine, type LocalEngine } from './engine/embedded-engine.ts';
import { BodyPool } from './http/body-pool.ts';
import { defaultEngineOptions, type EngineOptions } from './engine/options.ts';
import { nothingOutgoing, type OutgoingSettings, StoredOutgoing } from './outgoing/stored-outgoing.ts';
import { NowcastServer, type ServerOptions } from './server.ts';

export interface EmbeddedOptions extends Omit<
  ServerOptions,
  'access' | 'bodies' | 'boards' | 'alerts' | 'deliveryCounts' | 'engine'
> {
  dataDir: string;
  engine: Partial<EngineOptions>;
  collector: boolean;
  /** Mail, webhooks and push messages; default: neither mail nor private destinations. */
  outgoing?: OutgoingSettings;
  /** Whether what alerts say leaves this machine; otherwise it is decided, and kept for a start that sends. */
  messages: boolean;
  /** Answers on this machine's control socket alone: no port is opened, nothing is measured. */
  local?: boolean;
  /** The engine is gone for a reason that a restart may cure and going on cannot. */
  onFatal: (error: Error) => void;
}

/** Where the embedded mode keeps users, sessions, keys and boards. */
export function metaStorePath(dataDir: string): string {
  return join(dataDir, 'meta.sqlite');
}

/** That store, not started yet; a server may have it open at the same time. */
export function metaStoreOf(dataDir: string): MetaStore {
  return new SqliteMetaStore({ path: metaStorePath(dataDir) });
}

export { openDirectSend };

/** Everything in one process: SQLite, the local log and chDB behind the domains, and the server in front. */
export class EmbeddedNowcast implements Service {
  readonly access: AccessService;
  readonly server: NowcastServer;
  readonly engine: LocalEngine;
  /** Memory of request bodies, which the engine gives back. */
  readonly bodies = new BodyPool();
  /** What starts beside the engine, and what needs it; each in order. */
  readonly #before: readonly Service[];
  readonly #after: readonly Service[];
  /** In the order they were ready; they stop in reverse. */
  readonly #running: Service[] = [];

  constructor(options: EmbeddedOptions) {
    const { dataDir, log } = options;
    const store = metaStoreOf(dataDir);
    const engineLog = log.with({ part: 'engine' });
    this.access = new AccessService({ store, clock: systemClock });
    const bus = new MemoryLiveBus({
      onListenerError: (error) => log.error('a listener of the live bus failed', { reason: String(error) }),
    });
    this.engine = createEmbeddedEngine(
      { ...defaultEngineOptions, ...options.engine, dataDir },
      (level, message, fields) => engineLog[level](message, fields),
      options.onFatal,
      bus,
      (body) => this.bodies.give(body),
    );
    const boards = new DashboardService({ store, clock: systemClock, can });
    const outgoing = new StoredOutgoing(store, options.outgoing ?? nothingOutgoing, options.publicUrl);
    const alertLog = log.with({ part: 'alerts' });
    const alerts = new AlertService({
      store,
      evaluation: this.engine.alerts,
      outgoing,
      clock: systemClock,
      can,
      onRevoked: (listener) => this.access.onRevoked(listener),
      publicUrl: () => this.server.url,
      log: (level, message, fields) => alertLog[level](message, fields),
      observeDelayMs: (ms) => this.server.metrics.eventToChannelMs.observe(ms),
    });
    this.server = new NowcastServer({
      ...options,
      access: this.access,
      boards,
      alerts,
      bodies: this.bodies,
      deliveryCounts: () => store.alerting.deliveries.counts(),
      engine: this.engine,
    });
    const collector = new Collector({
      engine: this.engine,
      // The oldest organisation is the one that was made on this machine's first run.
      tenant: async () => (await store.tenants.list())[0]?.tenantId,
      host: os.hostname(),
      gateway: () => this.server.gateway.stats(),
      eventToFrameMs: () => this.server.metrics.eventToFrameMs.snapshot(),
      clock: systemClock,
      log: log.with({ part: 'collector' }),
    });
    this.#before = [store, this.access, outgoing];
    // The engine keeps what it decides until somebody listens; nobody may be told before that is stored.
    const listens = [
      alerts,
      this.server,
      ...(options.messages ? [alerts.sending] : []),
      ...(options.collector ? [collector] : []),
    ];
    this.#after = options.local === true ? [] : listens;
  }

  async run(): Promise<void> {
    // The engine reads its log on its own thread meanwhile; who can sign in does not depend on it.
    const starting = [this.#start(this.engine), this.#startAll(this.#before)];
    try {
      await Promise.all(starting);
      await this.#startAll(this.#after);
    } catch (error) {
      // What is ready only after the stop below would run on, and the process with it.
      await Promise.allSettled(starting);
      await this.stop();
      throw error;
    }
  }

  async #startAll(services: readonly Service[]): Promise<void> {
    for (const service of services) await this.#start(service);
  }

  async #start(service: Service): Promise<void> {
    try {
      await service.run();
    } catch (error) {
      // Half a start leaves timers and listeners behind; why it failed is what people need to read.
      await service.stop().catch(() => undefined);
      throw error;
    }
    this.#running.push(service);
  }

  drain(): Promise<void> {
    return this.server.drain();
  }

  async stop(): Promise<void> {
    for (let service = this.#running.pop(); service !== undefined; service = this.#running.pop()) {
      await service.stop();
    }
    // It may still be starting, and as long as its warehouse lets it wait.
    await this.engine.stop();
  }
}
