import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { calmReader } from './alert-queries.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('in a storm of events a list that is answered slowly is new after each answer, and right after the last', async () => {
  const client = new QueryClient();
  let truth = 0;
  let aborted = 0;
  const inbox = new QueryObserver(client, {
    queryKey: ['notifications'],
    queryFn: async ({ signal }) => {
      const said = truth;
      await new Promise((resolve) => setTimeout(resolve, 800));
      if (signal.aborted) aborted += 1;
      return said;
    },
  });
  const seen: unknown[] = [];
  const stop = inbox.subscribe(({ data, fetchStatus }) => {
    if (fetchStatus === 'idle') seen.push(data);
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(seen).toEqual([0]);
  const read = calmReader(client);
  for (let i = 0; i < 40; i++) {
    truth += 1;
    read(i % 2 === 0 ? 'notifications' : 'unread');
    await vi.advanceTimersByTimeAsync(250);
  }
  expect(aborted).toBe(0);
  expect(seen.length).toBeGreaterThan(10);
  await vi.advanceTimersByTimeAsync(2000);
  expect(seen.at(-1)).toBe(truth);
  stop();
  client.clear();
});
