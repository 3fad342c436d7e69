import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { calmly } from './calmly.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('the first of a storm is heard at once, the rest together, and never none after the last', () => {
  const heard: string[] = [];
  const call = calmly((key: string) => heard.push(`${key} ${Date.now()}`), 500);
  vi.setSystemTime(0);
  call('alerts');
  call('alerts');
  call('rules');
  expect(heard).toEqual(['alerts 0', 'rules 0']);
  vi.advanceTimersByTime(400);
  call('alerts');
  vi.advanceTimersByTime(100);
  expect(heard).toEqual(['alerts 0', 'rules 0', 'alerts 500']);
  vi.advanceTimersByTime(5000);
  expect(heard).toHaveLength(3);
  call('alerts');
  expect(heard).toHaveLength(4);
});
