import { expect, test } from 'vitest';
import { inSlices, SlicedWork } from './in-slices.ts';

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

test('slices: of several works one at a time goes on before what else waits, and each has its turn', async () => {
  const order: string[] = [];
  const other = () => {
    order.push('other');
    timer = setImmediate(other);
  };
  const work = (name: string) =>
    inSlices(
      slices(3, () => order.push(name)),
      0,
    );
  const sliced = new SlicedWork(0);
  const works = [work('a'), work('b')];
  sliced.start(
    steps(3, () => order.push('c')),
    () => undefined,
  );
  let timer = setImmediate(other);
  await Promise.all(works);
  while (sliced.isRunning) await nextTurn();
  clearImmediate(timer);
  expect(order.join(' ')).toMatch(/^a b c a other b other c other a other b other c( other)*$/);
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

function* steps(count: number, begin: (i: number) => void): Generator<void, void> {
  yield* slices(count, begin);
}

const nextTurn = () => new Promise(setImmediate);

test('sliced work: its end is heard in the turn of its last slice, and other work runs before that', async () => {
  const order: string[] = [];
  const work = new SlicedWork(0);
  work.start(
    steps(2, (i) => order.push(`slice ${i}`)),
    () => order.push('ended'),
  );
  order.push('other work');
  expect(work.isRunning).toBe(true);
  while (work.isRunning) await nextTurn();
  expect(order).toEqual(['slice 0', 'other work', 'slice 1', 'ended']);
});

test('sliced work: whoever needs the end has it at once, and it ends once', async () => {
  const order: string[] = [];
  const work = new SlicedWork(0);
  const begin = (i: number) => order.push(`slice ${i}`);
  work.start(steps(3, begin), () => order.push('ended'));
  work.finish();
  expect(order).toEqual(['slice 0', 'slice 1', 'slice 2', 'ended']);
  expect(work.isRunning).toBe(false);
  work.finish();
  work.start(steps(1, begin), () => order.push('ended again'));
  for (let i = 0; i < 4; i += 1) await nextTurn();
  expect(order.slice(4)).toEqual(['slice 0', 'ended again']);
});

test('sliced work: it says how long it kept the thread, others left out', async () => {
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };
  const took = await new Promise<number>((resolve) => {
    new SlicedWork(0).start(
      steps(3, () => busy(5)),
      resolve,
    );
    busy(200);
  });
  expect(took).toBeGreaterThanOrEqual(15);
  expect(took).toBeLessThan(150);
});

test('sliced work: what was finished early keeps nobody else waiting', async () => {
  const finished = new SlicedWork(0);
  for (let i = 0; i < 1000; i += 1) {
    finished.start(
      steps(2, () => undefined),
      () => undefined,
    );
    finished.finish();
  }
  const order: string[] = [];
  const rest = inSlices(
    slices(2, (i) => order.push(`slice ${i}`)),
    0,
  );
  setImmediate(() => setImmediate(() => order.push('two turns later')));
  await rest;
  await nextTurn();
  await nextTurn();
  expect(order).toEqual(['slice 0', 'slice 1', 'two turns later']);
});

test('sliced work: what it throws ends it', () => {
  const work = new SlicedWork(60_000);
  const fail = () => {
    throw new Error('the first slice');
  };
  expect(() => work.start(steps(2, fail), () => undefined)).toThrow('the first slice');
  expect(work.isRunning).toBe(false);
});
