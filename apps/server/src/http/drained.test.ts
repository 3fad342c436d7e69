import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { drained } from './drained.ts';

test('waits for room or for the end, and leaves nothing listening', async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  for (let i = 0; i < 20; i++) {
    expect(stream.write('more than fits')).toBe(false);
    const waiting = drained(stream);
    stream.read();
    await waiting;
  }
  stream.write('nobody reads this');
  const waiting = drained(stream);
  stream.destroy();
  await waiting;
  expect([stream.listenerCount('drain'), stream.listenerCount('close')]).toEqual([0, 0]);
});

test('a stream that breaks meanwhile takes no more: that is no error of who waits', async () => {
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, written) => setTimeout(() => written(new Error('EPIPE')), 1),
  });
  const told: Error[] = [];
  stream.on('error', (error) => told.push(error));
  expect(stream.write('more than fits')).toBe(false);
  await drained(stream);
  expect(told).toHaveLength(1);
  // And nothing comes of waiting any longer.
  await drained(stream);
});
