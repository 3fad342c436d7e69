import { ManualClock } from '@nowcast/kernel';
import { describe, expect, it } from 'vitest';
import { TouchBatch } from './touch-batch.ts';

function setUp() {
  const clock = new ManualClock(0);
  const written: { id: string; at: number }[][] = [];
  const store = { down: false };
  const touches = new TouchBatch(clock, async (batch) => {
    if (store.down) throw new Error('down');
    written.push([...batch]);
  });
  return { clock, written, store, touches };
}

describe('TouchBatch', () => {
  it('writes the latest time of each id together, five seconds after the first', () => {
    const { clock, written, touches } = setUp();
    touches.add('a', 1);
    clock.advance(4000);
    touches.add('b', 2);
    touches.add('a', 3);
    expect(touches.pending('a')).toBe(3);
    clock.advance(999);
    expect(written).toEqual([]);
    clock.advance(1);
    expect(written).toEqual([
      [
        { id: 'a', at: 3 },
        { id: 'b', at: 2 },
      ],
    ]);
    expect(touches.pending('a')).toBeUndefined();
    clock.advance(60_000);
    expect(written).toHaveLength(1);
  });

  it('goes on after a write that failed, and writes what waits when it stops', async () => {
    const { clock, written, store, touches } = setUp();
    store.down = true;
    touches.add('a', 1);
    clock.advance(5000);
    store.down = false;
    touches.add('a', 2);
    await touches.stop();
    expect(written).toEqual([[{ id: 'a', at: 2 }]]);
    await touches.stop();
    clock.advance(60_000);
    expect(written).toHaveLength(1);
  });
});
