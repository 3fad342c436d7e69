import { appError, limits } from '@nowcast/contract';

const quote = 0x22;
const backslash = 0x5c;

/**
 * Deepest nesting of arrays and objects in JSON text, by one pass over the bytes. `JSON.parse` itself accepts
 * millions of levels, and what walks the result afterwards (a schema, a stringifier) overflows the stack. Stops
 * counting above `most`.
 */
export function jsonDepth(bytes: Uint8Array, most: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === quote) {
      for (i++; i < bytes.length && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++;
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > deepest) deepest = depth;
      if (deepest > most) return deepest;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest;
}

/** Parses a request body. Throws `request.invalid` or `request.too_large`. */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > limits.jsonBytes) {
    throw appError('request.too_large', `JSON may have ${limits.jsonBytes} bytes at most; split it`);
  }
  if (jsonDepth(bytes, limits.jsonDepth) > limits.jsonDepth) {
    throw appError('request.invalid', `JSON may be nested ${limits.jsonDepth} levels deep at most`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw appError('request.invalid', 'the body is not UTF-8; send JSON encoded as UTF-8', { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'syntax error';
    throw appError('request.invalid', `the body is not JSON: ${why}`, { cause });
  }
  // Only text that can spell the key is worth a walk.
  if (text.includes('__proto__') || text.includes('\\u')) refusePrototypeKeys(value);
  return value;
}

/** `JSON.parse` makes an own property of `__proto__`; the first copy by assignment would turn it into a prototype. */
function refusePrototypeKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Object.hasOwn(value, '__proto__')) {
    throw appError('request.invalid', 'the key "__proto__" is not allowed; remove it');
  }
  for (const item of Object.values(value)) refusePrototypeKeys(item);
}
