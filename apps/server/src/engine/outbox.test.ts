import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

function neverRefused(message: unknown, error: unknown): void {
  throw new Error(`${String(message)} was refused`, { cause: error });
}

test('what is said in one turn is sent together, in its order, with all that is given away', () => {
  const posted: unknown[] = [];
  const turns: (() => void)[] = [];
  const outbox = new Outbox<string>(
    (messages, transfer) => posted.push({ messages, bytes: transfer.map(({ byteLength }) => byteLength) }),
    (send) => turns.push(send),
    neverRefused,
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
    neverRefused,
  );
  for (let i = 0; i < 20; i += 1) outbox.push(i);
  expect(posted).toEqual([Array.from({ length: 16 }, (_, i) => i)]);
  for (const turn of turns.splice(0)) turn();
  expect(posted.flat()).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(posted).toHaveLength(2);
});

test('a message that cannot be copied is refused by itself, and the others arrive in order with their memory', () => {
  const { port1, port2 } = new MessageChannel();
  const refused: unknown[] = [];
  const turns: (() => void)[] = [];
  const outbox = new Outbox<unknown>(
    (messages, transfer) => port1.postMessage(messages, transfer),
    (send) => turns.push(send),
    (message, error) => refused.push([message, error instanceof DOMException && error.name]),
  );
  const memory = new ArrayBuffer(3);
  const kept = new ArrayBuffer(5);
  outbox.push({ memory }, [memory]);
  outbox.push({ kept, text: Object.keys }, [kept]);
  outbox.push('last');
  turns.shift()!();
  expect(refused).toEqual([[{ kept, text: Object.keys }, 'DataCloneError']]);
  expect([memory.byteLength, kept.byteLength]).toEqual([0, 5]);
  expect(receiveMessageOnPort(port2)?.message).toEqual([{ memory: new ArrayBuffer(3) }]);
  expect(receiveMessageOnPort(port2)?.message).toEqual(['last']);
  port1.close();
});
