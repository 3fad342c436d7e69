import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkSpans } from './chunk-spans.ts';
import { dayMs, weekMs } from './schema.ts';

const metrics = ['cpu', 'sales'] as const;
const chunk = fc.record({
  metric: fc.constantFrom(...metrics),
  start: fc.integer({ min: 0, max: 6 * weekMs }),
  length: fc.oneof(
    fc.constantFrom(0, dayMs, dayMs + 1),
    fc.integer({ min: 0, max: dayMs }),
    fc.integer({ min: 0, max: 3 * weekMs }),
  ),
});
type Chunk = typeof chunk extends fc.Arbitrary<infer T> ? T : never;

function note(spans: ChunkSpans, { metric, start, length }: Chunk): void {
  const timestamps = Float64Array.of(start, start + length);
  spans.note({ count: 1, tenant: ['acme'], metric: [metric], offsets: Uint32Array.of(0, 2), timestamps });
}

test('every chunk of the metric that reaches into a range starts at or behind the bound', () => {
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 12 }),
      fc.array(chunk, { maxLength: 12 }),
      fc.integer({ min: 0, max: 9 * weekMs }),
      (stored, noted, from) => {
        const spans = new ChunkSpans();
        const weekOf = ({ start }: Chunk) => Math.floor(start / weekMs) * weekMs;
        spans.complete(stored.map((one) => ({ tenant: 'acme', ...one, week: weekOf(one) })));
        for (const one of noted) note(spans, one);
        for (const metric of metrics) {
          const bound = spans.startOf('acme', metric, from);
          expect(bound).toBeLessThanOrEqual(from);
          const reaching = [...stored, ...noted].filter(
            (one) => one.metric === metric && one.start < from && one.start + one.length >= from,
          );
          for (const { start } of reaching) expect(start).toBeGreaterThanOrEqual(bound);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('long chunks widen no look but that at their own metric and time; before the table was read nothing is bounded', () => {
  const spans = new ChunkSpans();
  const at = (metric: string, weeks: number) => spans.startOf('acme', metric, weeks * weekMs);
  note(spans, { metric: 'cpu', start: 10 * weekMs, length: 5000 });
  note(spans, { metric: 'cpu', start: 2 * weekMs, length: 2 * weekMs });
  expect(at('cpu', 10.5)).toBe(0);
  spans.complete([]);
  expect(at('cpu', 10.5)).toBe(10.5 * weekMs - dayMs);
  expect(at('cpu', 4.5)).toBe(2.5 * weekMs);
  expect(at('cpu', 3)).toBe(2 * weekMs);
  expect(at('sales', 3)).toBe(3 * weekMs - dayMs);
  expect(at('sales', 0)).toBe(0);
});
