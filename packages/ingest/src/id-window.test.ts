import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdWindow } from './id-window.ts';

const maxAgeMs = 100;

test('a window answers like a list that is cut by age and by number', () => {
  const step = fc.record({
    id: fc.nat(40),
    // Few homes in the table, so that entries move when others leave.
    home: fc.nat(3),
    wait: fc.integer({ min: -5, max: 40 }),
    drop: fc.constantFrom(0, 0, 0, 1, 3),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.array(step, { maxLength: 800 }), (maxIds, steps) => {
      const window = new IdWindow(maxIds, maxAgeMs);
      let model: { high: number; low: number; at: number }[] = [];
      let now = 1000;
      for (const { id, home, wait, drop } of steps) {
        now += wait;
        const low = home * 1_000_003;
        const isLive = (known: { high: number; low: number; at: number }) =>
          known.high === id && known.low === low && known.at + maxAgeMs > now;
        expect(window.has(id, low, now)).toBe(model.some(isLive));
        const at = Math.max(now, model.at(-1)?.at ?? 0);
        model = model.filter((known) => known.at + maxAgeMs > at).slice(-(maxIds - 1) || Infinity);
        if (maxIds === 1) model = [];
        model.push({ high: id, low, at });
        window.add(id, low, now);
        window.dropOldest(drop);
        model = model.slice(drop);
        expect(window.size).toBe(model.length);
      }
      const { high, low, receivedAt } = window.columns();
      expect([...high]).toStrictEqual(model.map((known) => known.high));
      expect([...low]).toStrictEqual(model.map((known) => known.low));
      expect([...receivedAt]).toStrictEqual(model.map((known) => known.at));
    }),
    { numRuns: 60 },
  );
});

test('a hundred thousand ids are all found, and none that was not added', () => {
  const window = new IdWindow(100_000, maxAgeMs);
  for (let id = 0; id < 150_000; id++) window.add(id, Math.imul(id, 0x9e3779b1), 0);
  const missing = Array.from({ length: 150_000 }, (_, id) => id).filter(
    (id) => window.has(id, Math.imul(id, 0x9e3779b1), 0) !== id >= 50_000,
  );
  expect(missing).toStrictEqual([]);
});
