/**
 * Our two cookies (C1): the session, and a token of the device that only ever makes a sign-in less suspicious. Over
 * TLS their names begin with `__Host-`, which a browser takes only with Secure, Path=/ and no Domain, so that neither
 * another subdomain nor plain HTTP can plant one. Plain HTTP cannot have the prefix; over TLS its names are ignored.
 */
const names = { session: 'nowcast', device: 'nowcast-device' } as const;
export type CookieKind = keyof typeof names;

function cookieName(kind: CookieKind, secure: boolean): string {
  return secure ? `__Host-${names[kind]}` : names[kind];
}

export function setCookie(kind: CookieKind, secure: boolean, value: string, maxAgeSeconds: number): string {
  const age = Math.max(0, Math.floor(maxAgeSeconds));
  const base = `${cookieName(kind, secure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}`;
  return secure ? `${base}; Secure` : base;
}

/** The value a request carries. Two of that name: neither is believed. */
export function readCookie(
  kind: CookieKind,
  header: string | undefined,
  secure: boolean,
): string | undefined {
  if (header === undefined) return undefined;
  const name = cookieName(kind, secure);
  let found: string | undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals === -1 || part.slice(0, equals).trim() !== name) continue;
    if (found !== undefined) return undefined;
    found = part.slice(equals + 1).trim();
  }
  return found === '' ? undefined : found;
}
