import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fourDigits, scanDecimal } from './decimal.ts';

const encoder = new TextEncoder();

/** What the scanner makes of the text: its value and end, or undefined when it leaves the text to others. */
function scan(text: string): { value: number; end: number } | undefined {
  const values = new Float64Array(1);
  const end = scanDecimal(encoder.encode(`xx${text}`), 2, values, 0);
  return end < 0 ? undefined : { value: values[0]!, end: end - 2 };
}

const digits = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength }).map((list) => list.join(''));
const decimal = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: digits(19),
    fraction: fc.option(digits(22), { nil: undefined }),
  })
  .map(({ sign, whole, fraction }) => {
    const head = `${sign}${whole.replace(/^0+(?=\d)/, '')}`;
    return fraction === undefined ? head : `${head}.${fraction}`;
  });

describe('scanDecimal', () => {
  test('agrees with Number bit for bit, or leaves the text to it', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        const seen = scan(text);
        if (seen !== undefined) expect(seen).toStrictEqual({ value: Number(text), end: text.length });
      }),
      { numRuns: 20_000 },
    );
  });

  test('takes on the way printers write doubles, 17 digits included', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 1e-3, max: 1e6 }), fc.boolean(), (value, negative) => {
        const text = String(negative ? -value : value);
        const seen = scan(text);
        // Exact halves between two doubles are the only ones it may pass on.
        if (seen === undefined) expect(text.replace(/^-?0\.0*|\D/g, '').length).toBeGreaterThan(15);
        else expect(seen.value).toBe(Number(text));
      }),
      { numRuns: 5000 },
    );
  });

  test('is never wrong beside the midpoint of two doubles', () => {
    for (const text of [
      '9007199254740993',
      '9007199254740992.5',
      '9007199254740993.000001',
      '4503599627370497.5',
      '4503599627370496.4999999999999',
      '1.00000000000000011102',
      '1.000000000000000111',
      '0.1000000000000000055',
      '5.000000000000000166',
      '98.59154929577465',
      '0.30000000000000004',
      '123456789012345678.9',
    ]) {
      const seen = scan(text);
      if (seen !== undefined) expect([text, seen.value]).toStrictEqual([text, Number(text)]);
    }
    expect(scan('98.59154929577465')).toStrictEqual({ value: Number('98.59154929577465'), end: 17 });
  });

  test('leaves what is no plain decimal to the caller, and stops where the number ends', () => {
    for (const text of [
      '',
      '-',
      '.5',
      '-.5',
      '5.',
      '007',
      '-01',
      '+1',
      'nan',
      'Infinity',
      '1.x',
      '12345678901.',
    ]) {
      expect([text, scan(text)]).toStrictEqual([text, undefined]);
    }
    expect(scan('12i')).toStrictEqual({ value: 12, end: 2 });
    expect(scan('1.5e3')).toStrictEqual({ value: 1.5, end: 3 });
    expect(scan('-0')).toStrictEqual({ value: -0, end: 2 });
    expect(scan('0.000001,')).toStrictEqual({ value: 0.000001, end: 8 });
  });
});

test('fourDigits reads four digits at any place and refuses anything else', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789:/ e.')), minLength: 4, maxLength: 4 }),
      fc.nat(5),
      (text, at) => {
        const bytes = new Uint8Array(16);
        bytes.set(encoder.encode(text), at);
        const expected = /^\d{4}$/.test(text) ? Number(text) : -1;
        expect(fourDigits(new DataView(bytes.buffer), at)).toBe(expected);
      },
    ),
  );
});
