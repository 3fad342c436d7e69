import { appError } from '@nowcast/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { receivedAt } from './testing/decoded.ts';
import { type Fixture, restartIngest, send, startIngest } from './testing/fixture.ts';

const partitions = 3;
const jsonPoint = fc.record(
  {
    metric_type: fc.constantFrom('a', 'b', 'c'),
    source: fc.constantFrom('x', 'y', 'z'),
    value: fc.integer({ min: 0, max: 3 }),
    data_id: fc.constantFrom('1', '2', '3', '4', '5'),
    message: fc.constantFrom('m', 'n'),
  },
  { requiredKeys: ['metric_type', 'value'], noNullPrototype: true },
);
const line = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom('x', 'y'),
    fc.constantFrom('1', '2', '"t"'),
    fc.integer({ min: -2, max: 1 }),
  )
  .map(
    ([metric, source, value, back]) => `${metric},source=${source} value=${value} ${receivedAt + back}000000`,
  );
const step = fc.oneof(
  fc.record({
    kind: fc.constant('json' as const),
    points: fc.array(jsonPoint, { minLength: 1, maxLength: 5 }),
    key: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('lines' as const), lines: fc.array(line, { minLength: 1, maxLength: 5 }) }),
  fc.record({
    kind: fc.constant('wait' as const),
    ms: fc.constantFrom(1, 60_000, 10 * 60_000, 13 * 3_600_000),
  }),
  fc.record({
    kind: fc.constantFrom('hold' as const, 'release' as const, 'fail' as const, 'checkpoint' as const),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs the steps; the checkpoint taken last, if any. */
async function run(fixture: Fixture, steps: readonly Step[]): Promise<Uint8Array | undefined> {
  const answers: Promise<unknown>[] = [];
  let checkpoint: Uint8Array | undefined;
  for (const now of steps) {
    if (now.kind === 'json') {
      answers.push(send(fixture, JSON.stringify(now.points), { idempotencyKey: now.key }));
    } else if (now.kind === 'lines') {
      answers.push(send(fixture, now.lines.join('\n'), { format: 'line-protocol' }));
    } else if (now.kind === 'wait') fixture.clock.advance(now.ms);
    else if (now.kind === 'checkpoint') checkpoint = fixture.service.checkpoint().bytes;
    else {
      fixture.log.held = now.kind === 'hold';
      fixture.log.release(now.kind === 'fail' ? appError('log.full', 'the disk is full') : undefined);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  fixture.log.held = false;
  fixture.log.release();
  await Promise.all(answers);
  return checkpoint;
}

test('after a restart the dedupe state is what it was, from the log alone or from a checkpoint and the log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const live = startIngest({ partitions });
      live.service.begin();
      const checkpoint = await run(live, steps);
      const expected = live.service.checkpoint();
      const replayed = restartIngest(live, { partitions });
      expect(replayed.service.checkpoint()).toStrictEqual(expected);
      if (checkpoint !== undefined) {
        expect(restartIngest(live, { partitions }, checkpoint).service.checkpoint()).toStrictEqual(expected);
      }
      expect(replayed.memory.count).toBe(live.memory.count);
    }),
    { numRuns: 150 },
  );
});

test('what was applied is what the log holds, in its order, on every partition', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const live = startIngest({ partitions });
      live.service.begin();
      await run(live, steps);
      for (let partition = 0; partition < partitions; partition++) {
        const applied = live.durable.filter((durable) => durable.partition === partition);
        const logged = live.log.records(partition).map((record, offset) => ({ record, offset }));
        expect(applied.map(({ record, offset }) => ({ record, offset }))).toStrictEqual(logged);
      }
    }),
    { numRuns: 100 },
  );
});

test('acknowledged points are in the log exactly once when senders retry until they succeed', async () => {
  const batch = fc.record({
    first: fc.nat(30),
    count: fc.integer({ min: 1, max: 6 }),
    fails: fc.integer({ min: 0, max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 8 }), async (batches) => {
      const live = startIngest({ partitions });
      live.service.begin();
      await Promise.all(
        batches.map(async ({ first, count, fails }) => {
          const ids = Array.from({ length: count }, (_, i) => first + i);
          const points = ids.map((id) => ({
            metric_type: 'a',
            source: `s${id % 5}`,
            value: id,
            data_id: `${id}`,
          }));
          for (let attempt = 0; ; attempt++) {
            live.log.held = attempt < fails;
            const answer = send(live, JSON.stringify(points));
            await new Promise((resolve) => setImmediate(resolve));
            live.log.release(attempt < fails ? appError('log.full', 'the disk is full') : undefined);
            if ((await answer).status === 200) return;
          }
        }),
      );
      const expected = new Set(
        batches.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)),
      );
      const stored = live.durable.flatMap((durable) =>
        durable.kind === 'points' ? [...durable.record.values] : [],
      );
      expect(stored.toSorted((a, b) => a - b)).toStrictEqual([...expected].toSorted((a, b) => a - b));
    }),
    { numRuns: 100 },
  );
});
