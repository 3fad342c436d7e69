import { appError } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import { describe, expect, it } from 'vitest';
import { LocalRevocationBus } from './revocations.ts';
import { VerifyCache } from './verify-cache.ts';

/** A store whose reads wait until they are let go, so that a revocation can pass in the middle of one. */
function setUp(capacity = 100) {
  const clock = new ManualClock(0);
  const bus = new LocalRevocationBus();
  const rows = new Map<string, string>();
  const waiting: (() => void)[] = [];
  const store = { reads: 0, held: false, down: false };
  const cache = new VerifyCache<string>({
    clock,
    bus,
    capacity,
    isRevokedBy: (value, { id }) => value === id,
    async load(hash) {
      store.reads += 1;
      if (store.down) throw appError('server.unavailable', 'down');
      const row = rows.get(hash);
      if (store.held) await new Promise<void>((resolve) => waiting.push(resolve));
      return row;
    },
  });
  const revoke = (id: string): void => bus.publish({ kind: 'session', id, tenant: 't' });
  return { clock, rows, waiting, store, cache, revoke };
}

describe('VerifyCache', () => {
  it('reads a credential once in five seconds, and once for everybody who asks meanwhile', async () => {
    const { cache, rows, store, clock } = setUp();
    rows.set('hash', 'ada');
    expect(await Promise.all([cache.get('hash'), cache.get('hash'), cache.get('hash')])).toEqual([
      'ada',
      'ada',
      'ada',
    ]);
    clock.advance(5000);
    expect(cache.peek('hash')).toBe('ada');
    expect(store.reads).toBe(1);
    clock.advance(1);
    expect(cache.peek('hash')).toBeUndefined();
    await cache.get('hash');
    expect(store.reads).toBe(2);
  });

  it('C2 drops a credential when its revocation comes, and no other', async () => {
    const { cache, rows, revoke } = setUp();
    rows.set('a', 'ada').set('b', 'bob');
    await cache.get('a');
    await cache.get('b');
    rows.delete('a');
    revoke('ada');
    expect(cache.peek('b')).toBe('bob');
    expect(await cache.get('a')).toBeUndefined();
  });

  it('C2 does not keep what was read while it was being revoked', async () => {
    const { cache, rows, store, waiting, revoke } = setUp();
    rows.set('a', 'ada');
    store.held = true;
    const answer = cache.get('a');
    // The row has been read and is on its way back when the session ends.
    rows.delete('a');
    revoke('ada');
    store.held = false;
    waiting.shift()?.();
    expect(await answer).toBeUndefined();
    expect(cache.peek('a')).toBeUndefined();
    expect(store.reads).toBe(2);
  });

  it('C2 goes on during a storm of other people’s revocations', async () => {
    const { cache, rows, store, waiting, revoke } = setUp();
    rows.set('a', 'ada');
    store.held = true;
    const answer = cache.get('a');
    for (let i = 0; i < 1000; i += 1) revoke(`user ${i}`);
    waiting.shift()?.();
    expect(await answer).toBe('ada');
    expect(store.reads).toBe(1);
  });

  it('F8 serves what it knew for a minute while the store is down, but never a revoked one', async () => {
    const { cache, rows, store, clock, revoke } = setUp();
    rows.set('a', 'ada').set('b', 'bob');
    await cache.get('a');
    await cache.get('b');
    store.down = true;
    clock.advance(60_000);
    expect(await cache.get('a')).toBe('ada');
    revoke('bob');
    await expect(cache.get('b')).rejects.toMatchObject({ code: 'server.unavailable' });
    clock.advance(1);
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'server.unavailable' });
  });

  it('remembers no made-up credentials and stays within its bound', async () => {
    const { cache, rows, store } = setUp(10);
    await cache.get('made up');
    await cache.get('made up');
    expect(store.reads).toBe(2);
    for (let i = 0; i < 30; i += 1) rows.set(`hash ${i}`, `user ${i}`);
    for (let i = 0; i < 30; i += 1) await cache.get(`hash ${i}`);
    const kept = Array.from({ length: 30 }, (_, i) => cache.peek(`hash ${i}`)).filter((value) => value);
    expect(kept).toHaveLength(10);
  });
});
