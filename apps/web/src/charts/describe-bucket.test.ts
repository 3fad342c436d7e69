import { describe, expect, it } from 'vitest';
import { describeBucket } from './describe-bucket.ts';

const at = Date.UTC(2026, 10, 23, 14, 5);
const minute = 60_000;
const day = 86_400_000;

describe('the time of a bucket', () => {
  it('is a moment where the bucket is short', () => {
    expect(describeBucket(at, 1000, 'UTC')).toMatch(/ 14:05:00$/);
    expect(describeBucket(at + 250, 250, 'UTC')).toMatch(/ 14:05:00\.250$/);
  });

  it('has both ends where the bucket is long', () => {
    expect(describeBucket(at, 5 * minute, 'UTC')).toMatch(/ 14:05 – 14:10$/);
    expect(describeBucket(at, 90_000, 'UTC')).toMatch(/ 14:05:00 – 14:06:30$/);
    expect(describeBucket(at, 60 * minute, 'UTC')).toMatch(/ 14:05 – 15:05$/);
    expect(describeBucket(at, 7 * day, 'UTC')).toMatch(/^\D*23\D.* – .*30/);
  });

  it('is a date where the bucket is a day', () => {
    expect(describeBucket(at, day, 'UTC')).not.toMatch(/:/);
  });
});
