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
