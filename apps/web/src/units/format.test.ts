import { describe, expect, it } from 'vitest';
import { formatValue } from './format.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('values with units', () => {
  it('keeps three significant digits and a no-break space before the unit', () => {
    expect(formatValue(12.345, 'percent')).toBe('12.3\u00a0%');
    expect(plain(formatValue(0.4567, 'ratio'))).toBe('45.7 %');
    expect(plain(formatValue(1536, 'bytes'))).toBe('1.5 KiB');
    expect(plain(formatValue(23.5 * 2 ** 30, 'bytes'))).toBe('23.5 GiB');
    expect(plain(formatValue(1_250_000, 'bits_per_second'))).toBe('1.25 Mbit/s');
    expect(plain(formatValue(250, 'milliseconds'))).toBe('250 ms');
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

  it('prints an en dash where there is no value', () => {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(formatValue(value, 'bytes')).toBe('–');
    }
  });

  it('follows the number of decimals that a panel asks for', () => {
    expect(plain(formatValue(5, 'percent', 1))).toBe('5.0 %');
  });
});
