import { describe, expect, it } from 'vitest';
import { describeBucket } from './describe-bucket.ts';

const at = Date.UTC(2026, 10, 23, 14, 5);
const minute = 60_000;
const day = 86_400_000;
const words = (start: number, stepMs: number): string => describeBucket(start, start + stepMs, stepMs, 'UTC');

describe('the time of a bucket', () => {
  it('is a moment where the bucket is short', () => {
    expect(words(at, 1000)).toMatch(/ 14:05:00$/);
    expect(words(at + 250, 250)).toMatch(/ 14:05:00\.250$/);
  });

  it('has both ends where the bucket is long', () => {
    expect(words(at, 5 * minute)).toMatch(/ 14:05 – 14:10$/);
    expect(words(at, 90_000)).toMatch(/ 14:05:00 – 14:06:30$/);
    expect(words(at, 60 * minute)).toMatch(/ 14:05 – 15:05$/);
    expect(words(at, 7 * day)).toMatch(/^\D*23\D.* – .*30/);
  });

  it('ends a week on its last day, also when the clocks go forward in it', () => {
    const [monday, next] = [Date.UTC(2026, 2, 22, 23), Date.UTC(2026, 2, 29, 22)];
    expect(describeBucket(monday, next, 7 * day, 'Europe/Berlin')).toMatch(/^\D*23\D.* – \D*29\D/);
  });

  it('is a date where the bucket is a day', () => {
    expect(words(at, day)).not.toMatch(/:/);
  });
});
