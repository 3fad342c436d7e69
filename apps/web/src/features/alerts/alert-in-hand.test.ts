import { expect, test } from 'vitest';
import { keepInHand, nothingInHand } from './alert-in-hand.ts';

const list = (...ids: string[]) => ids.map((id) => ({ alert_id: id }));

test('the first alert is in hand until somebody goes to another', () => {
  expect(keepInHand(list(), nothingInHand)).toBe(nothingInHand);
  expect(keepInHand(list('a', 'b'), nothingInHand)).toEqual({ alertId: 'a', at: 0 });
});

test('an alert stays in hand when worse ones come above it', () => {
  const hand = { alertId: 'b', at: 1 };
  const moved = keepInHand(list('new', 'a', 'b'), hand);
  expect(moved).toEqual({ alertId: 'b', at: 2 });
  expect(keepInHand(list('new', 'a', 'b'), moved)).toBe(moved);
});

test('the one in its place follows an alert that has left, the last one at the end of the list', () => {
  expect(keepInHand(list('a', 'c'), { alertId: 'b', at: 1 })).toEqual({ alertId: 'c', at: 1 });
  expect(keepInHand(list('a'), { alertId: 'b', at: 1 })).toEqual({ alertId: 'a', at: 0 });
});
