import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

test('what is said in one turn is sent together, in its order, with all that is given away', () => {
  const posted: unknown[] = [];
  const turns: (() => void)[] = [];
  const outbox = new Outbox<string>(
    (messages, transfer) => posted.push({ messages, bytes: transfer.map(({ byteLength }) => byteLength) }),
    (send) => turns.push(send),
  );
  outbox.push('a', [new ArrayBuffer(1)]);
  outbox.push('b');
  outbox.push('c', [new ArrayBuffer(2)]);
  expect(posted).toEqual([]);
  expect(turns).toHaveLength(1);
  turns.shift()!();
  outbox.push('d');
  turns.shift()!();
  expect(posted).toEqual([
    { messages: ['a', 'b', 'c'], bytes: [1, 2] },
    { messages: ['d'], bytes: [] },
  ]);
  expect(turns).toHaveLength(0);
});

test('a full outbox is sent at once, what follows it in its own time, and nothing twice', () => {
  const posted: number[][] = [];
  const turns: (() => void)[] = [];
  const outbox = new Outbox<number>(
    (messages) => posted.push(messages),
    (send) => turns.push(send),
  );
  for (let i = 0; i < 20; i += 1) outbox.push(i);
  expect(posted).toEqual([Array.from({ length: 16 }, (_, i) => i)]);
  for (const turn of turns.splice(0)) turn();
  expect(posted.flat()).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(posted).toHaveLength(2);
});
