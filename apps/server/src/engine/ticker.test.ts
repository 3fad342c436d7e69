import { ManualClock } from '@nowcast/kernel';
import { expect, test } from 'vitest';
import { Ticker } from './ticker.ts';

const immediates = () => new Promise<void>((resolve) => void setImmediate(resolve));

async function tickTimes(tookMs: number, forMs: number): Promise<number[]> {
  const clock = new ManualClock();
  const times: number[] = [];
  const ticker = new Ticker(clock, 50, () => {
    times.push(clock.now());
    clock.advance(tookMs);
  });
  while (clock.now() < forMs) {
    ticker.request();
    ticker.request();
    await immediates();
    clock.advance(1);
  }
  return times;
}

test('ticks: what a tick began and ends later is followed by a rest too', async () => {
  // Timers that are due while a thread works fire when it has: a manual clock would fire them in between.
  let now = 0;
  const timers: { due: number; fn: () => void }[] = [];
  const after = (ms: number, fn: () => void) => {
    const timer = { due: now + ms, fn };
    timers.push(timer);
    return () => void timers.splice(timers.indexOf(timer), 1);
  };
  const times: number[] = [];
  const ticker = new Ticker({ now: () => now, monotonic: () => now, after }, 20, () => void times.push(now));
  for (ticker.request(); times.length < 5; now += 1) {
    await immediates();
    for (const timer of timers.filter(({ due }) => due <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.fn();
    }
    if (times.at(-1) !== now) continue;
    // The next one is asked for before the work of this one, which takes 60 ms.
    ticker.request();
    now += 60;
    ticker.took(now - 60);
  }
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  expect(gaps).toEqual([180, 180, 180, 180]);
});

test.each([
  ['short ones come at their interval', 4, 50],
  ['long ones leave two thirds of the time to others', 40, 120],
  ['but nobody waits for longer than a quarter of a second', 200, 250],
])('ticks: %s', async (_name, tookMs, apartMs) => {
  const times = await tickTimes(tookMs, 2000);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  expect(gaps.length).toBeGreaterThan(4);
  for (const gap of gaps) {
    expect(gap).toBeGreaterThanOrEqual(apartMs);
    expect(gap).toBeLessThanOrEqual(apartMs + 2);
  }
});
