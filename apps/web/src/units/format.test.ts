import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatValue, unitTitles, type UnitName } from './format.ts';

const anyUnit = fc.constantFrom(...(Object.keys(unitTitles) as UnitName[]));
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('values with units', () => {
  it('keeps three significant digits and a no-break space before the unit', () => {
    expect(formatValue(12.345, 'percent')).toBe('12.3\u00a0%');
    expect(plain(formatValue(0.4567, 'ratio'))).toBe('45.7 %');
    expect(plain(formatValue(1536, 'bytes'))).toBe('1.5 KiB');
    expect(plain(formatValue(23.5 * 2 ** 30, 'bytes'))).toBe('23.5 GiB');
    expect(plain(formatValue(1_250_000, 'bits_per_second'))).toBe('1.25 Mbit/s');
    expect(plain(formatValue(250, 'milliseconds'))).toBe('250 ms');
    expect(plain(formatValue(0, 'milliseconds'))).toBe('0 ms');
    expect(plain(formatValue(90_000, 'milliseconds'))).toBe('90 s');
    expect(plain(formatValue(5400, 'seconds'))).toBe('90 min');
    expect(plain(formatValue(0.0000021, 'seconds'))).toBe('2.1 µs');
    expect(formatValue(1234.5, 'eur')).toBe('€1,235');
    expect(formatValue(-3.5, 'usd')).toBe('−$3.50');
    expect(formatValue(24_964, 'count')).toBe('24,964');
    expect(formatValue(0, 'none')).toBe('0');
  });

  it('moves to the next prefix instead of printing 1000 of the smaller one', () => {
    expect(plain(formatValue(999_999, 'per_second'))).toBe('1 M/s');
    expect(plain(formatValue(1024 * 1024 - 1, 'bytes'))).toBe('1 MiB');
  });

  it('writes powers of ten where the prefixes end', () => {
    expect(formatValue(1.7e308, 'none')).toBe('1.7e308');
    expect(formatValue(-1e25, 'count')).toBe('-1e25');
    expect(formatValue(1e25, 'celsius')).toBe('1e25\u00a0°C');
    expect(formatValue(1e25, 'bytes')).toBe('1e25\u00a0B');
    expect(formatValue(-2.5e30, 'usd')).toBe('−$2.5e30');
    expect(plain(formatValue(5e18, 'none'))).toBe('5 E');
  });

  it('stays short and free of infinities, whatever arrives', () => {
    for (const unit of Object.keys(unitTitles) as UnitName[]) {
      for (const value of [1e25, 1e308, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE]) {
        const text = formatValue(value, unit);
        expect(text.length, `${value} ${unit}: ${text}`).toBeLessThan(18);
        expect(text, `${value} ${unit}`).not.toMatch(/∞|Infinity|NaN/);
      }
    }
  });

  it('writes tiny numbers as powers of ten, never as a zero that they are not', () => {
    expect(formatValue(1e-8, 'none')).toBe('1e-8');
    expect(formatValue(-1e-7, 'none')).toBe('-1e-7');
    expect(plain(formatValue(2.5e-9, 'celsius'))).toBe('2.5e-9 °C');
    expect(plain(formatValue(1.23e-15, 'seconds'))).toBe('1.23e-9 µs');
    expect(formatValue(0.000123, 'none')).toBe('0.000123');
    expect(formatValue(0.0000025, 'usd')).toBe('$2.5e-6');
    expect(formatValue(-0.001, 'eur')).toBe('−€0.001');
    fc.assert(
      fc.property(anyUnit, fc.double({ noNaN: true, noDefaultInfinity: true }), (unit, value) => {
        // Below, a division by a thousand leaves nothing.
        fc.pre(Math.abs(value) > 1e-300);
        expect(formatValue(value, unit)).toMatch(/[1-9]/);
      }),
    );
  });

  it('gives zero, and what is rounded to it, no sign', () => {
    expect(formatValue(-0.001, 'none', 1)).toBe('0.0');
    expect(formatValue(-0.001, 'eur', 2)).toBe('€0.00');
    const anyDecimals = fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined });
    fc.assert(
      fc.property(anyUnit, fc.double({ min: -1e-3, max: 0 }), anyDecimals, (unit, value, decimals) => {
        for (const one of [value, -0])
          expect(formatValue(one, unit, decimals)).not.toMatch(/^[-−]\D?[0.,]+\D*$/);
      }),
    );
  });

  it('prints an en dash where there is no value', () => {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(formatValue(value, 'bytes')).toBe('–');
    }
  });

  it('follows the number of decimals that a panel asks for', () => {
    expect(plain(formatValue(5, 'percent', 1))).toBe('5.0 %');
  });
});
