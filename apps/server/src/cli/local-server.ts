import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import http, { type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { can } from '@nowcast/access';
import { appError } from '@nowcast/contract';
import { randomId, type Service } from '@nowcast/kernel';
import type { EmbeddedNowcast } from '../embedded.ts';
import type { LocalEngine } from '../engine/embedded-engine.ts';
import { ProxyTrust } from '../http/client-address.ts';
import { OwnOrigin } from '../http/origin.ts';
import { emptyAnswer, noBody, type Route, route } from '../http/route.ts';
import { RouteTable } from '../http/route-table.ts';
import { Router } from '../http/router.ts';
import type { Logger } from '../log.ts';
import { withSocketPath } from './socket-path.ts';

/**
 * The same API for commands on this machine, over a socket file in the data folder. Who may open the file may read
 * and write everything beside it anyway, so there is nothing to sign in with: the bearer token is the id of the
 * organisation to act in. It also lends out the data for backups, which the API on the network does not.
 */
export class LocalServer implements Service {
  readonly #dataDir: string;
  readonly #server: http.Server;

  constructor(options: { dataDir: string; nowcast: EmbeddedNowcast; log: Logger }) {
    const { dataDir, nowcast, log } = options;
    this.#dataDir = dataDir;
    const router = new Router({
      table: new RouteTable([...holdRoutes(nowcast.engine, log), ...nowcast.server.routes]),
      gatekeeper: {
        identify: (credential) =>
          Promise.resolve({ actor: { kind: 'operator', tenant_id: credential }, expires_at: undefined }),
        can,
      },
      proxies: new ProxyTrust([]),
      origin: new OwnOrigin(undefined, 'localhost'),
      bodies: nowcast.bodies,
      pages: () => {
        throw appError('request.not_found', 'there are no pages on the local socket');
      },
      strictTransport: false,
      log,
      observe: () => undefined,
    });
    this.#server = http.createServer((request, response) => void router.handle(request, response));
  }

  /** Only for the one that has the data folder to itself: a socket that is there is a dead process's. */
  async run(): Promise<void> {
    await rm(join(this.#dataDir, 'local.sock'), { force: true });
    await withSocketPath(this.#dataDir, async (path) => {
      this.#server.listen(path);
      await once(this.#server, 'listening');
      await chmod(path, 0o600);
    });
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    await rm(join(this.#dataDir, 'local.sock'), { force: true });
  }
}

/**
 * Lends the data to a backup. The answer names the files and then stays open: the hold lasts as long as the
 * connection, so a backup that is killed leaves nothing held. Before a copy counts, `end` confirms that it was held all
 * the time.
 */
function holdRoutes(engine: LocalEngine, log: Logger): Route[] {
  let current: { id: string; response: ServerResponse } | undefined;
  const release = async (): Promise<void> => {
    const ended = current?.response;
    current = undefined;
    await engine.release();
    ended?.end();
  };
  return [
    route({ method: 'POST', path: '/local/hold', access: 'public', body: noBody }, async ({ response }) => {
      const held = await engine.hold();
      const id = randomId('h');
      current = { id, response };
      const lost = (): void => {
        if (current?.id !== id) return;
        release().catch((error: unknown) =>
          log.error('what a backup left behind could not be removed', { error }),
        );
      };
      response.once('close', lost);
      if (response.destroyed) lost();
      const text = JSON.stringify({ ...held, id });
      return { status: 200, write: (out) => void out.write(`${text}\n`) };
    }),
    route(
      { method: 'POST', path: '/local/hold/:id/end', access: 'public', body: noBody },
      async ({ params }) => {
        if (current?.id !== params['id'])
          throw appError('request.conflict', 'the data was let go before the backup was complete; repeat it');
        await release();
        return emptyAnswer();
      },
    ),
  ];
}
