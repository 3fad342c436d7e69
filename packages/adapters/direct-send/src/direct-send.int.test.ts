import { closeSync, openSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { DirectSend } from '@nowcast/ports';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadLibc } from './libc.ts';
import { openDirectSend, SendCalls } from './open-direct-send.ts';
import { Uring } from './uring.ts';

const libc = await loadLibc();
const ways: DirectSend[] = libc === undefined ? [] : [new SendCalls(libc)];
// Containers often forbid it, and then there is nothing to test.
const uring = libc === undefined ? undefined : Uring.open(libc, 8);
if (uring !== undefined) ways.push(uring);

let server: Server;
let port: number;
const open: Socket[] = [];
beforeAll(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => server.close());

function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** One end to send from, and the other with what it has received. */
async function pair(): Promise<{ near: Socket; far: Socket; received: () => Buffer }> {
  const far = connect(port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  open.push(near, far);
  const parts: Buffer[] = [];
  far.on('data', (part: Buffer) => parts.push(part));
  return { near, far, received: () => Buffer.concat(parts) };
}

const patience = { timeout: 20_000 };

test('on Linux there is a way', async () => {
  const way = (await openDirectSend())?.way;
  expect(way === undefined ? process.platform : 'linux').toBe(way === undefined ? 'other' : 'linux');
});

describe.each(ways)('by $way', (direct) => {
  test('the same bytes reach every socket, from wherever they lie in their block, again and again', async () => {
    const pairs: Awaited<ReturnType<typeof pair>>[] = [];
    while (pairs.length < 21) pairs.push(await pair());
    const fds = Int32Array.from(pairs, ({ near }) => descriptorOf(near));
    const taken = new Int32Array(32);
    const block = Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 0xff));
    const expected: Buffer[] = [];
    for (let round = 0; round < 50; round++) {
      const bytes = block.subarray(round * 7, round * 7 + 1 + round * 11);
      expected.push(Buffer.from(bytes));
      direct.send(bytes, fds, fds.length, taken);
      expect(Array.from(taken.subarray(0, fds.length))).toEqual(Array.from(fds, () => bytes.length));
    }
    const whole = Buffer.concat(expected);
    for (const { received } of pairs)
      await vi.waitFor(() => expect(received().equals(whole)).toBe(true), patience);
  });

  test('what a full socket does not take is said, and nothing of it is sent later', async () => {
    const full = await pair();
    const free = await pair();
    full.far.pause();
    const fds = Int32Array.of(descriptorOf(full.near), descriptorOf(free.near));
    const taken = new Int32Array(2);
    const bytes = Buffer.alloc(300_000, 7);
    let went = 0;
    let wentFree = 0;
    for (let i = 0; i < 100; i++) {
      direct.send(bytes, fds, 2, taken);
      went += taken[0]!;
      wentFree += taken[1]!;
      if (taken[0] === 0) break;
    }
    expect(taken[0]).toBe(0);
    full.far.resume();
    await vi.waitFor(() => expect(full.received().length).toBe(went), patience);
    await vi.waitFor(() => expect(free.received().length).toBe(wentFree), patience);
    // What comes next is what is sent next.
    direct.send(Buffer.from('next'), fds, 2, taken);
    expect(Array.from(taken)).toEqual([4, 4]);
    await vi.waitFor(() => expect(full.received().subarray(went).toString()).toBe('next'), patience);
  });

  test('a descriptor that is closed, and one that is no socket, take nothing and harm nobody', async () => {
    const good = await pair();
    const file = openSync(import.meta.filename, 'r');
    const taken = new Int32Array(4).fill(9);
    direct.send(Buffer.from('hello'), Int32Array.of(-1, descriptorOf(good.near), 1_000_000, file), 4, taken);
    closeSync(file);
    expect(Array.from(taken)).toEqual([0, 5, 0, 0]);
    await vi.waitFor(() => expect(good.received().toString()).toBe('hello'), patience);
  });

  test('a peer that is gone takes nothing, and the process lives', async () => {
    const gone = await pair();
    const fds = Int32Array.of(descriptorOf(gone.near));
    const taken = Int32Array.of(9);
    gone.near.on('error', () => undefined);
    gone.far.resetAndDestroy();
    await vi.waitFor(() => {
      direct.send(Buffer.from('hello'), fds, 1, taken);
      expect(taken[0]).toBe(0);
    }, patience);
  });
});
