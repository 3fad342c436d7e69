import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Tokens carry 256 random bits, so a plain SHA-256 is enough to make a stolen database useless: there is nothing to
 * guess, unlike with passwords (OWASP ASVS 5, V2.10; TRUST C1, C12).
 */
const tokenBytes = 32;

/** Longest text that can be a token of ours; longer ones are refused before they are hashed. */
export const maxTokenLength = 128;

/** 43 URL-safe characters. */
export function newToken(): string {
  return randomBytes(tokenBytes).toString('base64url');
}

/** Hex. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Compares two hex digests of the same kind in constant time. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}
