import type { IssuedSession, LoginOrigin, LoginResult } from '@nowcast/access';
import { readCookie, setCookie } from '../http/cookies.ts';
import type { ClientInfo } from '../http/client-address.ts';
import type { Call } from '../http/route.ts';

const deviceSeconds = 365 * 86_400;

/** Where a login comes from, as the access domain wants to know it. */
export function loginOrigin(call: Pick<Call, 'client' | 'headers'>): LoginOrigin {
  const { client, headers } = call;
  return {
    ip: client.address,
    userAgent: headers['user-agent'] ?? '',
    deviceToken: readCookie('device', headers.cookie, client.secure),
    replaces: readCookie('session', headers.cookie, client.secure),
  };
}

export function sessionCookieOf(client: ClientInfo, session: IssuedSession): string {
  return setCookie('session', client.secure, session.token, (session.expires_at - Date.now()) / 1000);
}

/** The headers of an answer that signs a browser in. */
export function signInHeaders(client: ClientInfo, result: LoginResult): { 'Set-Cookie': string[] } {
  return {
    'Set-Cookie': [
      sessionCookieOf(client, result.session),
      setCookie('device', client.secure, result.deviceToken, deviceSeconds),
    ],
  };
}

export function signOutHeaders(client: ClientInfo): { 'Set-Cookie': string[] } {
  return { 'Set-Cookie': [setCookie('session', client.secure, '', 0)] };
}
