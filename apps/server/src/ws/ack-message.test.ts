import { upSchema } from '@nowcast/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../http/json.ts';
import { validate } from '../http/schema.ts';
import { readAck } from './ack-message.ts';

/** What the ordinary way makes of it: the number, or -1 for what is no acknowledgement. */
function ordinary(text: string): number {
  try {
    const message = validate(upSchema, parseJson(Buffer.from(text)), 'live.message_invalid');
    return message.type === 'ack' ? message.n : -1;
  } catch {
    return -1;
  }
}

test('every number that a client writes is read, as long as it has nine digits', () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), (n) => {
      expect(readAck(Buffer.from(JSON.stringify({ type: 'ack', n })))).toBe(n);
    }),
  );
  for (const n of [0, 9, 10, 999_999_999]) expect(readAck(Buffer.from(`{"type":"ack","n":${n}}`))).toBe(n);
  expect(readAck(Buffer.from('{"type":"ack","n":1000000000}'))).toBe(-1);
});

test('whatever is made of an acknowledgement, nothing is read that the ordinary way would not read the same', () => {
  const good = '{"type":"ack","n":1205}';
  const change = fc.record({
    at: fc.nat(good.length),
    drop: fc.nat(3),
    put: fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom('-', '0', '00', '.5', 'e3', ' ', '}', '{', '"'),
    ),
  });
  let read = 0;
  const check = (text: string): void => {
    const n = readAck(Buffer.from(text));
    if (n === -1) return;
    read++;
    expect(n).toBe(ordinary(text));
  };
  fc.assert(
    fc.property(change, ({ at, drop, put }) => check(good.slice(0, at) + put + good.slice(at + drop))),
    { numRuns: 2000, seed: 7 },
  );
  expect(read).toBeGreaterThan(20);
});
