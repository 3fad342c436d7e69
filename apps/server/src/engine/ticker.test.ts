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
