import { describe, expect, it } from 'vitest';
import { afterAttempt } from './decide-retry.ts';

const failed = {
  ok: false,
  retryable: true,
  gone: false,
  error: 'HTTP 503',
  retryAfterMs: undefined,
} as const;
const row = { attempts: 0, receivedAt: 900 };

describe('afterAttempt', () => {
  it('counts the delay from the receipt of the point', () => {
    expect(afterAttempt(row, { ok: true }, 1000, 0)).toMatchObject({
      status: 'sent',
      attempts: 1,
      delayMs: 100,
    });
  });

  it('waits 5 s · 4^n ± 20 %, an hour at most', () => {
    const wait = (attempts: number, chance: number) =>
      (afterAttempt({ ...row, attempts }, failed, 1000, chance).dueAt ?? 0) - 1000;
    expect(wait(0, 0)).toBe(4000);
    expect(wait(0, 0.5)).toBe(5000);
    expect(wait(2, 0.5)).toBe(80_000);
    expect(wait(6, 0.5)).toBe(3_600_000);
  });

  it('respects Retry-After when it is longer', () => {
    expect(afterAttempt(row, { ...failed, retryAfterMs: 60_000 }, 1000, 0.5).dueAt).toBe(61_000);
  });

  it('gives up after eight attempts, at once where trying again cannot help', () => {
    expect(afterAttempt({ ...row, attempts: 7 }, failed, 1000, 0)).toMatchObject({
      status: 'failed',
      error: 'HTTP 503',
      dueAt: undefined,
    });
    expect(afterAttempt(row, { ...failed, retryable: false }, 1000, 0).status).toBe('failed');
  });
});
