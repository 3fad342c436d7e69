import { ManualClock } from '@nowcast/kernel';
import { expect, test, vi } from 'vitest';
import { Upkeep } from './upkeep.ts';

const minuteMs = 60_000;

/** Pieces of the first go, each of which takes `pieceMs`, when there are `due` of them. */
async function firstGo(pieceMs: number, due: number): Promise<number> {
  let waits = 0;
  const clock = new (class extends ManualClock {
    override after(...args: Parameters<ManualClock['after']>) {
      waits++;
      return super.after(...args);
    }
  })();
  let pieces = 0;
  const maintain = async () => {
    await Promise.resolve();
    if (pieces === due) return false;
    pieces++;
    clock.advance(pieceMs);
    return true;
  };
  const request = () => ({ at: [0], now: 0, lateMs: 0, retention: new Map() });
  const upkeep = new Upkeep({ maintain }, clock, () => undefined, request);
  upkeep.start();
  clock.advance(minuteMs);
  // It has seen that it is over when it waits for the next one.
  await vi.waitUntil(() => waits === 2);
  await upkeep.stop();
  return pieces;
}

test('upkeep does as many pieces as fit into a third of its time, and twenty if they are long', async () => {
  expect(await firstGo(50, 1000)).toBe(400);
  expect(await firstGo(5000, 1000)).toBe(20);
  expect(await firstGo(50, 30)).toBe(30);
});
