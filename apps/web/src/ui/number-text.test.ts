import { describe, expect, it } from 'vitest';
import { numberOf } from './number-text.ts';

describe('the text of a number', () => {
  it('may be absent, and is no number while it is on its way to one', () => {
    expect(numberOf('  ', {})).toBeUndefined();
    for (const text of ['-', '1e', 'two', '1e999', 'Infinity']) expect(numberOf(text, {}), text).toBeNaN();
    expect(numberOf(' -7. ', {})).toBe(-7);
  });

  it('has a point or, from keys that have none, a comma', () => {
    expect(numberOf('7.5', {})).toBe(7.5);
    expect(numberOf('7,5', {})).toBe(7.5);
    expect(numberOf('0,125', {})).toBe(0.125);
    for (const text of ['1,234', '1,234,567']) expect(numberOf(text, {}), text).toBeNaN();
  });

  it('is not taken beyond its bounds: a number that was cut to fit would not be the one that is seen', () => {
    const bounds = { least: 2, most: 100, whole: true };
    for (const text of ['1', '101', '2.5']) expect(numberOf(text, bounds), text).toBeNaN();
    expect(numberOf('2', bounds)).toBe(2);
    expect(numberOf('100', bounds)).toBe(100);
  });
});
