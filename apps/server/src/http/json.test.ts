import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonDepth, parseJson } from './json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('C16: JSON', () => {
  test('a million levels are refused without being parsed', () => {
    expect(() => parseJson(bytes('['.repeat(1_000_000)))).toThrow(/32 levels/);
    expect(() => parseJson(bytes(`${'['.repeat(33)}${']'.repeat(33)}`))).toThrow(/32 levels/);
    expect(parseJson(bytes(`${'['.repeat(32)}${']'.repeat(32)}`))).toBeInstanceOf(Array);
  });

  test('brackets inside strings are not levels', () => {
    expect(jsonDepth(bytes(String.raw`{"a":"[[[[\"[[[\\","b":[1]}`), 32)).toBe(2);
  });

  test('the depth is that of the parsed value, for any JSON', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonDepth(bytes(JSON.stringify(value)), 1000)).toBe(depthOf(value));
      }),
    );
  });

  test.each([['{"__proto__":{"admin":true}}'], ['{"a":[{"\\u005f_proto__":1}]}']])(
    '%s is refused',
    (text) => {
      expect(() => parseJson(bytes(text))).toThrow(/__proto__/);
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    },
  );

  test.each([
    ['{"a":', /not JSON/],
    ['', /not JSON/],
  ])('%j says why', (text, why) => expect(() => parseJson(bytes(text))).toThrow(why));

  test('bytes that are not UTF-8 are refused', () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).toThrow(/UTF-8/);
  });

  test('more than 4 MB are refused', () => {
    expect(() => parseJson(new Uint8Array(4 * 1024 * 1024 + 1).fill(32))).toThrow(/split it/);
  });
});
