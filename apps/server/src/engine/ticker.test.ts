import { ManualClock } from '@nowcast/kernel';
import { expect, test } from 'vitest';
import { Ticker } from './ticker.ts';

const immediates = () => new Promise<void>((resolve) => void setImmediate(resolve));

async function tickTimes(tookMs: number, utilisation: number, forMs: number): Promise<number[]> {
  const clock = new ManualClock();
  const times: number[] = [];
  const tick = () => {
    times.push(clock.now());
    clock.advance(tookMs);
  };
  const ticker = new Ticker(clock, 50, tick, () => utilisation);
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
  const clock = { now: () => now, monotonic: () => now, after };
  const ticker = new Ticker(
    clock,
    20,
    () => void times.push(now),
    () => 0,
  );
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
    ticker.took(now - 60, 60);
  }
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  expect(gaps).toEqual([180, 180, 180, 180]);
});

test.each([
  ['short ones come at their interval', 4, 0.5, 50],
  ['long ones leave two thirds of the time to others', 40, 0.8, 120],
  ['a thread that has little to spare gives them less', 20, 0.9, 96],
  ['and one that has nothing to spare a twelfth', 10, 1, 120],
  ['but nobody waits for longer than a quarter of a second', 200, 0.5, 250],
  ['nobody at all', 40, 1, 250],
])('ticks: %s', async (_name, tookMs, utilisation, apartMs) => {
  const times = await tickTimes(tookMs, utilisation, 2000);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  expect(gaps.length).toBeGreaterThan(4);
  for (const gap of gaps) {
    expect(gap).toBeGreaterThanOrEqual(apartMs);
    expect(gap).toBeLessThanOrEqual(apartMs + 2);
  }
});

test('ticks: how busy this thread is, it sees for itself', async () => {
  const work = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };
  const clock = new ManualClock();
  const ticks: number[] = [];
  const ticker = new Ticker(clock, 50, () => {
    ticks.push(clock.now());
    clock.advance(10);
  });
  /** Milliseconds of the clock until the next tick. */
  const toNext = async (): Promise<number> => {
    const before = ticks.length;
    let waited = 0;
    ticker.request();
    await immediates();
    while (ticks.length === before) {
      clock.advance(1);
      waited += 1;
      await immediates();
    }
    return waited;
  };
  /** How long the tick after the next one waits, once the thread has lived as `live` says. */
  const restAfter = async (live: () => Promise<void>): Promise<number> => {
    await live();
    await toNext();
    return toNext();
  };
  const idle = await restAfter(() => new Promise((resolve) => void setTimeout(resolve, 200)));
  const busy = await restAfter(async () => {
    for (let i = 0; i < 10; i += 1) {
      work(20);
      await immediates();
    }
  });
  expect(idle).toBeLessThan(60);
  expect(busy).toBeGreaterThan(100);
});
