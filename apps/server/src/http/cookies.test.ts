import { describe, expect, test } from 'vitest';
import { readCookie, setCookie } from './cookies.ts';

describe('C1: the session cookie', () => {
  test('over TLS: the exact header', () => {
    expect(setCookie('session', true, 'abc', 3600.9)).toBe(
      '__Host-nowcast=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure',
    );
  });

  test('on plain HTTP neither the prefix nor Secure', () => {
    expect(setCookie('session', false, 'abc', 3600)).toBe(
      'nowcast=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600',
    );
  });

  test('over TLS a cookie without the prefix, which plain HTTP could have planted, is ignored', () => {
    expect(readCookie('session', 'nowcast=planted', true)).toBeUndefined();
    expect(readCookie('session', 'a=1; __Host-nowcast=real; nowcast=planted', true)).toBe('real');
  });

  test.each([
    ['two of the name', 'nowcast=a; nowcast=b'],
    ['an empty one', 'nowcast='],
    ['a name that only ends alike', 'xnowcast=a'],
    ['no equals sign', 'nowcast'],
    ['none', undefined],
  ])('%s is no session', (_name, header) => expect(readCookie('session', header, false)).toBeUndefined());
});
