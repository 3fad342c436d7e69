import { describe, expect, it } from 'vitest';
import { daysInWords, fromNow, spanInWords, weekdayName } from './when-words.ts';

const at = (text: string): number => Date.parse(text);

describe('days and spans in words', () => {
  it('a run of days is a range, all days are every day', () => {
    expect(daysInWords([5, 1, 3, 2, 4])).toBe('Mon–Fri');
    expect(daysInWords([6, 0])).toBe('Sat, Sun');
    expect(daysInWords([0, 1])).toBe('Mon, Sun');
    expect(daysInWords([0, 1, 2, 3, 4, 5, 6])).toBe('every day');
    expect(weekdayName(0, 'long')).toBe('Sunday');
  });

  it('the end says its day only where it is another day in the zone', () => {
    const span = { from: at('2026-11-29T22:00:00Z'), to: at('2026-11-30T06:00:00Z') };
    expect(spanInWords(span, 'UTC')).toBe('Sun 29 Nov 22:00 – Mon 30 Nov 06:00');
    expect(spanInWords(span, 'Europe/Moscow')).toBe('Mon 30 Nov 01:00 – 09:00');
    expect(fromNow(span.from, span.from)).toBe('now');
    expect(fromNow(span.from, span.from - 7_200_000)).toBe('in 2\u00a0h');
  });
});
