import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRfc3339 } from './rfc3339.ts';

const encoder = new TextEncoder();
const parse = (text: string) => parseRfc3339(encoder.encode(text), 0, encoder.encode(text).length);

describe('RFC 3339', () => {
  test('reads every date the way the platform does', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new globalThis.Date('0001-01-01T00:00:00Z'),
          max: new globalThis.Date('9999-12-31T00:00:00Z'),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parse(date.toISOString())).toBe(date.getTime());
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('honours offsets, lower case, a space, and fractions finer than a millisecond', () => {
    expect(parse('2024-02-29T12:00:00+02:30')).toBe(globalThis.Date.parse('2024-02-29T09:30:00Z'));
    expect(parse('2024-02-29t12:00:00z')).toBe(globalThis.Date.parse('2024-02-29T12:00:00Z'));
    expect(parse('2024-02-29 12:00:00-01:00')).toBe(globalThis.Date.parse('2024-02-29T13:00:00Z'));
    expect(parse('2024-02-29T12:00:00.1234Z')).toBe(globalThis.Date.parse('2024-02-29T12:00:00Z') + 123.4);
    expect(parse('2024-02-29T12:00:00.7Z')).toBe(globalThis.Date.parse('2024-02-29T12:00:00Z') + 700);
  });

  test('refuses what is not RFC 3339', () => {
    for (const text of [
      '2024-02-30T12:00:00Z',
      '2023-02-29T12:00:00Z',
      '2024-13-01T12:00:00Z',
      '2024-02-01T24:00:00Z',
      '2024-02-01T12:60:00Z',
      '2024-02-01T12:00:00',
      '2024-02-01T12:00Z',
      '2024-02-01T12:00:00.Z',
      '2024-02-01T12:00:00+0200',
      '2024-02-01T12:00:00Zx',
      '2024/02/01T12:00:00Z',
      '20240201T120000Z',
      'yesterday, at teatime',
    ]) {
      expect([text, parse(text)]).toStrictEqual([text, Number.NaN]);
    }
  });
});
