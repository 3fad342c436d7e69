import { ByteReader, ByteWriter, type RuleCondition } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { PastValues } from './baseline.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = 20_000 * day;

function rises(against: 'day' | 'week'): Extract<RuleCondition, { kind: 'change' }> {
  return { kind: 'change', direction: 'rises', by: 50, unit: 'percent', against };
}

describe('the value of a day or a week ago', () => {
  test.each(['day', 'week'] as const)('is that of the same five minutes, a %s ago', (against) => {
    const past = new PastValues(rises(against), 5000);
    const length = against === 'week' ? 7 * day : day;
    for (let at = 0; at < length; at += minute) past.learn(start + at, at / minute);
    expect(past.limits(start + length)).toEqual({ lower: -Infinity, upper: 4 * 1.5 });
    expect(past.limits(start + length + 7 * minute)).toEqual({ lower: -Infinity, upper: 9 * 1.5 });
  });

  test('is unknown before there was one, and in a gap', () => {
    const past = new PastValues(rises('day'), 5000);
    past.learn(start, 10);
    expect(past.limits(start)).toBeUndefined();
    past.learn(start + 2 * hour, 20);
    expect(past.limits(start + day)).toEqual({ lower: -Infinity, upper: 15 });
    expect(past.limits(start + day + hour)).toBeUndefined();
  });

  test('of a window that moves by hours is the last one that stood then', () => {
    const past = new PastValues(rises('week'), 2 * hour);
    for (let at = 0; at < 7 * day; at += 2 * hour) past.learn(start + at, at / hour);
    expect(past.limits(start + 7 * day + 3 * hour)).toEqual({ lower: -Infinity, upper: 3 });
  });

  test('does not come back a round later', () => {
    const past = new PastValues(rises('day'), 5000);
    past.learn(start, 10);
    past.learn(start + 3 * day, 20);
    expect(past.limits(start + 3 * day)).toBeUndefined();
    expect(past.limits(start + 4 * day)).toEqual({ lower: -Infinity, upper: 30 });
  });

  test('is the same after it was saved and loaded', () => {
    const past = new PastValues(rises('day'), 5000);
    for (let at = 0; at < 2 * day; at += 7 * minute) past.learn(start + at, (at / minute) % 100);
    const writer = new ByteWriter();
    past.save(writer);
    const again = new PastValues(rises('day'), 5000);
    const reader = new ByteReader(writer.written().slice());
    again.load(reader);
    expect(reader.remaining).toBe(0);
    for (let at = 2 * day; at < 4 * day; at += 5 * minute)
      expect(again.limits(start + at)).toEqual(past.limits(start + at));
  });
});
