import { expect, test } from 'vitest';
import { IdempotencyStore } from './idempotency-store.ts';

const answer = (receivedAt: number, text = '') => ({ bodyHash: 'h', status: 200, answer: text, receivedAt });

test('answers are forgotten by age', () => {
  const store = new IdempotencyStore(10, 1000, 100);
  store.add('a', answer(0));
  expect([store.find('a', 99)?.status, store.find('a', 100)]).toStrictEqual([200, undefined]);
  store.add('b', answer(100));
  expect(store.size).toBe(1);
});

test('the oldest go when there are too many answers or they are too long', () => {
  const store = new IdempotencyStore(3, 10, 1000);
  for (const key of ['a', 'b', 'c', 'd']) store.add(key, answer(0, 'xx'));
  expect(['a', 'b', 'c', 'd'].map((key) => store.find(key, 0) !== undefined)).toStrictEqual([
    false,
    true,
    true,
    true,
  ]);
  store.add('e', answer(0, 'x'.repeat(7)));
  expect(['b', 'c', 'd', 'e'].map((key) => store.find(key, 0) !== undefined)).toStrictEqual([
    false,
    false,
    true,
    true,
  ]);
});

test('a key used again after its time is as young as its last use', () => {
  const store = new IdempotencyStore(2, 1000, 100);
  store.add('a', answer(0));
  store.add('b', answer(50));
  store.add('a', answer(100, 'again'));
  store.add('c', answer(101));
  expect([store.find('a', 101)?.answer, store.find('b', 101)]).toStrictEqual(['again', undefined]);
});
