/**
 * Headers that every answer carries (C9). Answers that are not pages may load and frame nothing at all; pages run
 * only scripts of this origin or with this answer's nonce.
 */
const common: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // Not no-referrer: with it browsers send `Origin: null` from our own forms, which the origin check refuses.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export const plainPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function pagePolicy(nonce: string): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** `strictTransport`: this answer may promise that the name is only ever served over TLS. */
export function securityHeaders(strictTransport: boolean): Record<string, string> {
  return strictTransport ? { ...common, 'Strict-Transport-Security': 'max-age=31536000' } : { ...common };
}
