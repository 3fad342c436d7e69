import os from 'node:os';
import { type AccessService, can, revokes } from '@nowcast/access';
import type { AlertService } from '@nowcast/alerts';
import { type DashboardService, hostBoard, systemBoard } from '@nowcast/dashboards';
import type { Actor } from '@nowcast/contract';
import type { Service } from '@nowcast/kernel';
import type { DeliveryRepository, DirectSend, Engine } from '@nowcast/ports';
import { ProxyTrust } from './http/client-address.ts';
import type { Gatekeeper } from './http/credentials.ts';
import { Listener } from './http/listener.ts';
import { OwnOrigin } from './http/origin.ts';
import { Pages } from './http/pages.ts';
import type { Route } from './http/route.ts';
import { RouteTable } from './http/route-table.ts';
import type { BodyPool } from './http/body-pool.ts';
import { Router } from './http/router.ts';
import type { Logger } from './log.ts';
import { ServerMetrics } from './metrics/server-metrics.ts';
import { alertRoutes } from './routes/alerts.ts';
import { boardRoutes } from './routes/boards.ts';
import { dataRoutes } from './routes/data.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { keyRoutes } from './routes/keys.ts';
import { sessionRoutes } from './routes/session.ts';
import { sourceRoutes } from './routes/sources.ts';
import { systemRoutes } from './routes/system.ts';
import { userRoutes } from './routes/users.ts';
import { visualizationRoutes } from './routes/visualizations.ts';
import { Gateway } from './ws/gateway.ts';
import type { LiveTiming } from './ws/session.ts';

export interface ServerOptions {
  access: AccessService;
  boards: DashboardService;
  alerts: AlertService;
  /** Messages by how they stand, for the figures. */
  deliveryCounts: DeliveryRepository['counts'];
  engine: Engine;
  listen: string;
  port: number;
  publicUrl: string | undefined;
  tls: { certFile: string; keyFile: string } | undefined;
  allowPlainHttp: boolean;
  trustedProxies: readonly string[];
  maxConnections: number;
  maxConnectionsPerAddress: number;
  drainMs: number;
  directSend: DirectSend | undefined;
  webDir: string;
  version: string;
  log: Logger;
  /** Memory of request bodies, where the engine gives it back. */
  bodies: BodyPool;
  liveTiming?: Partial<LiveTiming>;
}

/** How long requests that are running may take to finish once the server stops. */
const finishMs = 10_000;

/** Everything users touch: HTTP, the page, the sockets. Knows no adapter; both modes put the same one in front. */
export class NowcastServer implements Service {
  readonly metrics = new ServerMetrics();
  readonly gateway: Gateway;
  readonly routes: readonly Route[];
  readonly #options: ServerOptions;
  readonly #listener: Listener;
  readonly #pages: Pages;
  readonly #stopping = new AbortController();
  #stopTelling: (() => void) | undefined;
  #state: 'starting' | 'ready' | 'stopping' = 'starting';

  constructor(options: ServerOptions) {
    this.#options = options;
    const { access, log } = options;
    const proxies = new ProxyTrust(options.trustedProxies, options.publicUrl);
    const origin = new OwnOrigin(options.publicUrl, options.listen);
    const gatekeeper: Gatekeeper = {
      identify: (credential) => access.authenticate(credential),
      can,
    };
    this.#pages = new Pages(options.webDir);
    this.gateway = new Gateway({
      engine: options.engine,
      gatekeeper,
      onRevoked: (listener) => access.onRevoked(listener),
      revokes,
      origin,
      drainMs: options.drainMs,
      directSend: options.directSend,
      log: log.with({ part: 'gateway' }),
      timing: options.liveTiming ?? {},
      observeDelayMs: (ms) => this.metrics.eventToFrameMs.observe(ms),
    });
    this.routes = this.#makeRoutes();
    const router = new Router({
      table: new RouteTable(this.routes),
      gatekeeper,
      proxies,
      origin,
      bodies: options.bodies,
      pages: (path, headers, query) => this.#pages.answer(path, headers, query),
      strictTransport: promisesTls(options),
      log: log.with({ part: 'http' }),
      observe: (request) => this.metrics.observeRequest(request),
    });
    this.#listener = new Listener({
      host: options.listen,
      port: options.port,
      tls: options.tls,
      allowPlainHttp: options.allowPlainHttp,
      maxConnections: options.maxConnections,
      maxConnectionsPerAddress: options.maxConnectionsPerAddress,
      proxies,
      log: log.with({ part: 'listener' }),
      onRequest: (request, response, waits) => {
        // Who asks now is to ask somebody else next time.
        if (this.#state === 'stopping') response.shouldKeepAlive = false;
        void router.handle(request, response, waits);
      },
      onUpgrade: (request, socket, head) =>
        this.gateway.upgrade(request, socket, head, proxies.read(request, 'encrypted' in socket)),
    });
  }

  #makeRoutes(): Route[] {
    const { access, alerts, boards, deliveryCounts, engine, version } = this.#options;
    return [
      ...sessionRoutes(access),
      ...userRoutes(access),
      ...keyRoutes(access),
      ...ingestRoutes(engine, version),
      ...dataRoutes(engine, this.gateway),
      ...sourceRoutes({ engine, access, boards, stopping: this.#stopping.signal }),
      ...boardRoutes(boards),
      ...visualizationRoutes(boards, engine),
      ...alertRoutes(alerts),
      ...systemRoutes({
        access,
        version,
        publicUrl: () => this.url,
        notReady: () => (this.#state === 'ready' ? engine.refusal() : this.#state),
        degraded: () => engine.degraded(),
        metrics: () =>
          this.metrics.render({
            engine,
            gateway: this.gateway,
            access,
            listener: this.#listener,
            deliveryCounts,
          }),
        firstBoard: (owner) => makeFirstBoards(boards, owner),
        routes: () => this.routes,
      }),
    ];
  }

  async run(): Promise<void> {
    await this.gateway.run();
    this.#stopTelling = this.#options.alerts.onEvent((to, event) => this.gateway.tell(to, event));
    await this.#listener.run();
    this.#state = 'ready';
    // Not waited for: until it is done, files go out uncompressed.
    this.#pages
      .compress()
      .catch((error: unknown) => this.#options.log.warn('files stay uncompressed', { error }));
  }

  /** What people type: the public URL, or where the server listens. */
  get url(): string {
    return this.#options.publicUrl ?? this.#listener.url;
  }

  /** Where else other machines find it. */
  get otherUrls(): string[] {
    return this.#options.publicUrl === undefined ? this.#listener.otherUrls : [];
  }

  get pageIsBuilt(): boolean {
    return this.#pages.built;
  }

  get encrypted(): boolean {
    return this.#listener.encrypted;
  }

  reloadCertificate(): void {
    this.#listener.reloadCertificate();
  }

  /** Not ready any more; viewers are sent away one by one, running requests finish. */
  async drain(): Promise<void> {
    this.#state = 'stopping';
    this.#stopping.abort();
    await this.gateway.drain();
    const tooLong = new Promise<void>((resolve) => setTimeout(resolve, finishMs).unref());
    await Promise.race([this.#listener.drain(), tooLong]);
  }

  async stop(): Promise<void> {
    this.#state = 'stopping';
    this.#stopping.abort();
    this.#stopTelling?.();
    await this.gateway.stop();
    await this.#listener.stop();
  }
}

/** HSTS binds a name for a year and all its ports: only for a public name that is really served over TLS. */
function promisesTls(options: ServerOptions): boolean {
  if (options.publicUrl === undefined) return false;
  const { protocol, hostname } = new URL(options.publicUrl);
  return protocol === 'https:' && hostname !== 'localhost' && /[a-z]$/i.test(hostname);
}

/** A new organisation starts with this machine's board, already moving, and with one about the server itself. */
export async function makeFirstBoards(boards: DashboardService, owner: Actor): Promise<string> {
  const facts = { memoryBytes: os.totalmem(), cores: os.availableParallelism() };
  const host = await boards.create(owner, hostBoard(os.hostname(), facts));
  await boards.create(owner, systemBoard());
  return host.board_id;
}
