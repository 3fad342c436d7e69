import type { IncomingHttpHeaders } from 'node:http';
import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { appError } from '@nowcast/contract';
import type { ClientInfo } from './client-address.ts';

/**
 * Which pages may speak to this server with a user's cookie: those of its own origin, and no others.
 *
 * `Origin === Host` alone is not enough: a page of evil.example whose name is re-pointed at 127.0.0.1 sends both as
 * evil.example. So a host counts as ours only when it is the public URL's, this machine's name, localhost, or a bare
 * IP address, which no DNS answer can move.
 */
export class OwnOrigin {
  readonly #publicOrigin: string | undefined;
  readonly #names: ReadonlySet<string>;

  constructor(publicUrl: string | undefined, listen: string) {
    this.#publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
    const machine = hostname().toLowerCase();
    this.#names = new Set(['localhost', machine, `${machine}.local`, listen.toLowerCase()]);
  }

  /** Exact comparison with the list; `null` and foreign origins are not in it. */
  allows(origin: string, client: ClientInfo): boolean {
    if (origin === this.#publicOrigin) return true;
    const own = `${client.secure ? 'https' : 'http'}://${client.host.toLowerCase()}`;
    return origin.toLowerCase() === own && this.ownsHost(client.host);
  }

  /** Whether a `Host` names this server, and is not a foreign name that was pointed at it. */
  ownsHost(host: string): boolean {
    const url = `http://${host}`;
    if (!URL.canParse(url)) return false;
    const name = new URL(url).hostname;
    return isIP(name.replace(/^\[|\]$/g, '')) !== 0 || this.#names.has(name);
  }

  /**
   * Refuses a state change that another site's page caused (C7): `Sec-Fetch-Site` where the browser sends it, else
   * `Origin`, which every browser sends with a POST. Neither: not a browser, and nothing that carries a cookie by
   * itself. Throws `auth.origin_refused`.
   */
  refuseForeign(headers: IncomingHttpHeaders, client: ClientInfo): void {
    const site = headers['sec-fetch-site'];
    const { origin } = headers;
    if (origin === undefined) {
      if (site === undefined || site === 'same-origin' || site === 'none') return;
    } else if (this.allows(origin, client)) return;
    throw appError(
      'auth.origin_refused',
      `${origin ?? 'a page of another site'} may not do this; open Nowcast under its own address, or name that address with --public-url`,
    );
  }
}
