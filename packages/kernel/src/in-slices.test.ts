import { expect, test } from 'vitest';
import { inSlices } from './in-slices.ts';

function* slices(count: number, begin: (i: number) => void): Generator<void, string> {
  for (let i = 0; i < count; i += 1) {
    begin(i);
    yield;
  }
  return 'done';
}

test('slices: the first runs at once, and other work between those that follow', async () => {
  const order: string[] = [];
  const result = inSlices(
    slices(3, (i) => order.push(`slice ${i}`)),
    0,
  );
  order.push('called');
  setImmediate(() => order.push('other work'));
  expect(await result).toBe('done');
  expect(order).toEqual(['slice 0', 'called', 'slice 1', 'other work', 'slice 2']);
});

test('slices: those that are short enough share a turn', async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await inSlices(
    slices(1000, () => undefined),
    60_000,
  );
  clearImmediate(timer);
  expect(turns).toBe(0);
});

test('slices: what the work throws, its promise rejects with', async () => {
  const fail = (i: number) => {
    if (i === 1) throw new Error('the second slice');
  };
  await expect(inSlices(slices(3, fail), 0)).rejects.toThrow('the second slice');
});
