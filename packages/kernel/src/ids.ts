/** Random, URL-safe identifiers. */
const alphabet = '0123456789abcdefghijkmnpqrstuvwxyz';

/** `prefix_` and 20 random characters (100 bits) that are easy to read aloud: no l, no o. */
export function randomId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  let id = '';
  for (const byte of bytes) id += alphabet[byte & 31];
  return `${prefix}_${id}`;
}
