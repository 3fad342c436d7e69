/**
 * The session cookie (C1). Over TLS it is `__Host-nowcast`, which a browser takes only with Secure, Path=/ and no
 * Domain, so that neither another subdomain nor plain HTTP can plant one. Plain HTTP cannot have the prefix; there
 * the name is `nowcast`, and over TLS that name is ignored.
 */
export function sessionCookieName(secure: boolean): string {
  return secure ? '__Host-nowcast' : 'nowcast';
}

export function sessionCookie(secure: boolean, token: string, maxAgeSeconds: number): string {
  const base = `${sessionCookieName(secure)}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}`;
  return secure ? `${base}; Secure` : base;
}

export function clearedSessionCookie(secure: boolean): string {
  return sessionCookie(secure, '', 0);
}

/** The session token a request carries as its cookie. Two of that name: neither is believed. */
export function readSessionCookie(header: string | undefined, secure: boolean): string | undefined {
  if (header === undefined) return undefined;
  const name = sessionCookieName(secure);
  let found: string | undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals === -1 || part.slice(0, equals).trim() !== name) continue;
    if (found !== undefined) return undefined;
    found = part.slice(equals + 1).trim();
  }
  return found === '' ? undefined : found;
}
