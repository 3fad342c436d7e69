import type { IncomingHttpHeaders } from 'node:http';
import type { Actor, Can } from '@nowcast/contract';
import { readSessionCookie } from './cookies.ts';

/** What a request presents to say who it is. */
export type Credential = { kind: 'session'; token: string } | { kind: 'key'; key: string };

/** The access domain as the edge sees it. */
export interface Gatekeeper {
  /** Undefined: unknown, expired or revoked. Never says which. */
  identify(credential: Credential): Promise<Actor | undefined>;
  can: Can;
}

/** Marks an API key, `nk_<id>_<secret>`, among bearer tokens. */
const keyPrefix = 'nk_';

function bearer(token: string): Credential {
  return token.startsWith(keyPrefix) ? { kind: 'key', key: token } : { kind: 'session', token };
}

/** An `Authorization` header wins over the cookie, also when it is wrong: nobody acts as somebody they did not name. */
export function readCredential(headers: IncomingHttpHeaders, secure: boolean): Credential | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const match = /^bearer +(\S+)$/i.exec(authorization);
    return match?.[1] === undefined ? undefined : bearer(match[1]);
  }
  const token = readSessionCookie(headers.cookie, secure);
  return token === undefined ? undefined : { kind: 'session', token };
}

/**
 * Influx's clients present a key as `Token K`, as the password of Basic (version 1 clients, any user name), or as the
 * query parameter `p` of version 1. The last puts a secret into a URL, which is why it only works on the write routes
 * and our logs never print queries.
 */
export function readInfluxCredential(
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
): Credential | undefined {
  const { authorization } = headers;
  if (authorization === undefined) {
    const key = query.get('p');
    return key === null ? undefined : { kind: 'key', key };
  }
  const token = /^token +(\S+)$/i.exec(authorization)?.[1];
  if (token !== undefined) return { kind: 'key', key: token };
  const basic = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return undefined;
  const pair = Buffer.from(basic, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : { kind: 'key', key: pair.slice(colon + 1) };
}
