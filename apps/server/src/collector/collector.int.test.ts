import type { Clock } from '@nowcast/kernel';
import { expect, test, vi } from 'vitest';
import { createLogger } from '../log.ts';
import { Histogram } from '../metrics/histogram.ts';
import { ScriptedEngine } from '../testing/scripted-engine.ts';
import { Collector } from './collector.ts';

/** Seconds that the points sent claim, when each timer fires so many milliseconds after its time, one after the other. */
async function secondsOf(...delaysMs: number[]): Promise<number[]> {
  let now = 1_000_000;
  let timer = { due: 0, fire: () => undefined as void };
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (delayMs, fire) => {
      timer = { due: now + delayMs, fire };
      return () => undefined;
    },
  };
  const engine = new ScriptedEngine();
  const collector = new Collector({
    engine,
    tenant: () => Promise.resolve('t'),
    host: 'h',
    gateway: () => ({ viewers: 0, stalenessP99Ms: 0 }),
    eventToFrameMs: () => new Histogram([1]).snapshot(),
    clock,
    log: createLogger({ level: 'error', format: 'json', write: () => undefined, now: () => 0 }),
  });
  await collector.run();
  for (const [sent, delayMs] of delaysMs.entries()) {
    now = timer.due + delayMs;
    timer.fire();
    await vi.waitFor(() => expect(engine.ingested).toHaveLength(sent + 1), { timeout: 30_000 });
    // The round ends a few promises after its points were taken.
    await new Promise(setImmediate);
  }
  await collector.stop();
  return engine.ingested.map(({ body }) => {
    const [line = ''] = new TextDecoder().decode(body).split('\n');
    return (JSON.parse(line) as { timestamp: number }).timestamp / 1000;
  });
}

test('every second is measured once, also when timers fire a little early', async () => {
  expect(await secondsOf(0, -2, -1, 3, -2, 0)).toEqual([1001, 1002, 1003, 1004, 1005, 1006]);
});

test('a second that passed meanwhile is left out', async () => {
  expect(await secondsOf(0, 1700, 0)).toEqual([1001, 1003, 1004]);
});
