import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { calmly } from './calmly.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('the first of a storm is heard at once, the rest together, and never none after the last', async () => {
  const heard: string[] = [];
  const call = calmly((key: string) => Promise.resolve(heard.push(`${key} ${Date.now()}`)), 500);
  vi.setSystemTime(0);
  call('alerts');
  call('alerts');
  call('rules');
  expect(heard).toEqual(['alerts 0', 'rules 0']);
  await vi.advanceTimersByTimeAsync(400);
  call('alerts');
  await vi.advanceTimersByTimeAsync(100);
  expect(heard).toEqual(['alerts 0', 'rules 0', 'alerts 500']);
  await vi.advanceTimersByTimeAsync(5000);
  expect(heard).toHaveLength(3);
  call('alerts');
  expect(heard).toHaveLength(4);
});

test('what takes longer than the rest is run to its end before it is run again, also when it fails', async () => {
  const begun: number[] = [];
  const call = calmly(async () => {
    begun.push(Date.now());
    await new Promise((resolve) => setTimeout(resolve, 800));
    if (begun.length === 1) throw new Error('the server cannot be reached');
  }, 500);
  vi.setSystemTime(0);
  for (let at = 0; at < 1600; at += 100) {
    call('alerts');
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(5000);
  expect(begun).toEqual([0, 800, 1600]);
});

test('what hangs is run again after ten seconds for what came meanwhile', async () => {
  let runs = 0;
  const call = calmly(() => {
    runs += 1;
    return new Promise(() => undefined);
  }, 500);
  call('alerts');
  call('alerts');
  await vi.advanceTimersByTimeAsync(9999);
  expect(runs).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(runs).toBe(2);
});
