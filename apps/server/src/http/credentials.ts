import type { IncomingHttpHeaders } from 'node:http';
import type { Actor, Can } from '@nowcast/contract';
import { readCookie } from './cookies.ts';

export interface Identity {
  actor: Actor;
  /** When the credential ends by itself, epoch ms; undefined: never. */
  expires_at: number | undefined;
}

/** The access domain as the edge sees it. A credential is the text of a session token or an API key (`nk_…`). */
export interface Gatekeeper {
  /** Undefined: unknown, expired or revoked. Never says which. */
  identify(credential: string): Promise<Identity | undefined>;
  can: Can;
}

/** An `Authorization` header wins over the cookie, also when it is wrong: nobody acts as somebody they did not name. */
export function readCredential(headers: IncomingHttpHeaders, secure: boolean): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    return /^bearer +(\S+)$/i.exec(authorization)?.[1];
  }
  return readCookie('session', headers.cookie, secure);
}

/**
 * Influx's clients present a key as `Token K`, as the password of Basic (version 1 clients, any user name), or as the
 * query parameter `p` of version 1. The last puts a secret into a URL, which is why it only works on the write routes
 * and our logs never print queries.
 */
export function readInfluxCredential(
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return query.get('p') ?? undefined;
  const token = /^token +(\S+)$/i.exec(authorization)?.[1];
  if (token !== undefined) return token;
  const basic = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return undefined;
  const pair = Buffer.from(basic, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}
