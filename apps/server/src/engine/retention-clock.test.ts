import { ManualClock } from '@nowcast/kernel';
import { beforeEach, describe, expect, test } from 'vitest';
import { RetentionClock } from './retention-clock.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 4, 1);
const retention = { rawMs: 30 * dayMs, fineMs: 180 * dayMs, coarseMs: Number.POSITIVE_INFINITY };
let clock: ManualClock;
let said: string[];
beforeEach(() => {
  clock = new ManualClock(startMs);
  said = [];
});

const begin = (beginMs?: number) =>
  new RetentionClock(clock, (level, message) => said.push(`${level} ${message}`), beginMs);
/** Up to when points are dropped, with a look every minute for this long and the wall clock off by `offMs`. */
function pass(retained: RetentionClock, ms: number, offMs = 0): number {
  let dropped = 0;
  for (let done = 0; done < ms; done += 60_000) {
    clock.advance(60_000);
    const now = clock.now() + offMs;
    const { rawMs, fineMs, coarseMs } = retained.kept(now, retention);
    expect([fineMs - rawMs, coarseMs]).toEqual([150 * dayMs, Number.POSITIVE_INFINITY]);
    dropped = now - rawMs;
  }
  return dropped;
}

describe('the time that retention counts from', () => {
  test('is the clock, where that goes on as it should', () => {
    const retained = begin(startMs);
    for (let i = 0; i < 3; i++) expect(pass(retained, dayMs)).toBe(clock.now() - retention.rawMs);
    expect(said).toEqual([]);
  });

  test('does not believe a clock that is years ahead, nor after a restart, and people hear of it once', () => {
    const wrong = 5 * 365 * dayMs;
    let retained = begin(startMs);
    pass(retained, dayMs);
    const before = clock.now() - retention.rawMs;
    expect(pass(retained, 2 * 60_000, wrong)).toBeLessThanOrEqual(before + 16 * 60_000);
    retained = begin(retained.at);
    expect(pass(retained, 3_600_000, wrong)).toBeLessThanOrEqual(before + 9 * 3_600_000);
    expect(said).toEqual(Array(2).fill(expect.stringMatching(/^warn .* ahead/)));
    expect(pass(retained, dayMs)).toBe(clock.now() - retention.rawMs);
  });

  test('is caught up some time after the machine was off for long', () => {
    const retained = begin(startMs - 90 * dayMs);
    expect(pass(retained, dayMs)).toBeLessThan(clock.now() - retention.rawMs - 80 * dayMs);
    expect(pass(retained, 13 * dayMs)).toBe(clock.now() - retention.rawMs);
  });

  test('does not begin anew where the clock begins in 1970 at each start', () => {
    const retained = begin(startMs);
    pass(retained, 3_600_000, -startMs);
    expect(pass(begin(retained.at), 3_600_000)).toBe(clock.now() - retention.rawMs);
    clock = new ManualClock(1000);
    expect(begin().at).toBe(Date.UTC(2026, 0, 1));
  });
});
