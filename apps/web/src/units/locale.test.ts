import { afterEach, describe, expect, it } from 'vitest';
import { formatDay } from '../time/zone.ts';
import { formatCount, formatValue } from './format.ts';
import { setLocale } from './locale.ts';

const nov12Ms = Date.UTC(2026, 10, 12, 12);

describe('the reader’s language', () => {
  afterEach(() => setLocale({ locale: 'en-GB', number_format: 'comma_dot' }));

  it('writes numbers and dates, also those whose formats were made before the choice', () => {
    setLocale({ locale: 'en-GB', number_format: 'locale' });
    expect([formatCount(1234567), formatValue(1.25, 'celsius'), formatDay(nov12Ms, 'UTC')]).toEqual([
      '1,234,567',
      '1.25\u00a0°C',
      '12 Nov',
    ]);
    setLocale({ locale: 'de-DE', number_format: 'locale' });
    expect([formatCount(1234567), formatValue(1.25, 'celsius'), formatDay(nov12Ms, 'UTC')]).toEqual([
      '1.234.567',
      '1,25\u00a0°C',
      '12. Nov.',
    ]);
    setLocale({ locale: 'en-US', number_format: 'locale' });
    expect(formatDay(nov12Ms, 'UTC', Date.UTC(2030, 0, 1))).toBe('Nov 12, 2026');
  });

  it('lets the form of numbers differ from that of dates', () => {
    setLocale({ locale: 'en-GB', number_format: 'dot_comma' });
    expect([formatValue(1234.5, 'eur', 1), formatDay(nov12Ms, 'UTC')]).toEqual(['€1.234,5', '12 Nov']);
    setLocale({ locale: 'en-GB', number_format: 'apostrophe_dot' });
    expect(formatCount(1_234_567)).toMatch(/^1['’]234['’]567$/);
  });

  it('falls back to the browser’s language where a tag is none', () => {
    setLocale({ locale: 'not a tag', number_format: 'comma_dot' });
    expect(formatCount(1000)).toBe('1,000');
  });
});
