import { partsOf, StateGrid } from '@nowcast/aggregate';
import { evaluationSchema } from '@nowcast/contract';
import { inOneTurn } from '@nowcast/kernel/slices';
import fc from 'fast-check';
import { FoldedRun } from './folded-run.ts';
import { expect, test } from 'vitest';
import { HistoryRun } from './history-run.ts';
import { coarser, planRule } from './plan.ts';
import { RuleEvaluator } from './rule-evaluator.ts';

const start = 1_700_000_040_000;
const part = 5000;

test('history reads the growth of a counter through its restarts, as the live rule does', () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 30, maxLength: 120 });
  fc.assert(
    fc.property(values, (counter) => {
      const condition = { kind: 'threshold' as const, op: 'above' as const, value: 1e9 };
      const query = { metric_type: 'm', agg: 'increase' as const };
      const plan = planRule(evaluationSchema.parse({ query, window: '1m', condition }), () => 'increase');
      const definition = { tenant: 't', metric_type: 'm', source: '', labels: [] };
      const live = new RuleEvaluator(plan);
      const unit = live.addSeries(0, definition, 's');
      const past = new RuleEvaluator(plan);
      const run = new HistoryRun(past);
      const addPart = run.addSeries(0, definition, 's');
      const cells = new StateGrid(partsOf('increase'), counter.length);
      // A point a second: five to a part.
      counter.forEach((value, i) => cells.addPoint(Math.floor(i / 5), start + i * 1000, value));
      const parts = Math.ceil(counter.length / 5);
      for (let i = 0; i < parts; i += 1) addPart(start + i * part, cells, i);
      let at = 0;
      const steps = run.run(start, start + parts * part, Infinity, (_, now) => {
        for (; at < counter.length && start + at * 1000 <= now; at += 1) {
          live.add(0, unit, FoldedRun.ofPoint(start + at * 1000, counter[at]!), now);
        }
        live.evaluate(now);
        const valueOf = (rule: RuleEvaluator) => [...rule.groups.values()].map(({ value }) => value);
        expect(valueOf(past)).toEqual(valueOf(live));
      });
      inOneTurn(steps);
    }),
    { seed: 20_261_124, numRuns: 200 },
  );
});

test('over a long range history is asked for parts that it has sums of, where the window has such', () => {
  const partOf = (window: string, leastMs: number) => {
    const condition = { kind: 'threshold' as const, op: 'above' as const, value: 1 };
    const evaluation = evaluationSchema.parse({ query: { metric_type: 'm', agg: 'avg' }, window, condition });
    return coarser(
      planRule(evaluation, () => 'avg'),
      leastMs,
    ).partMs;
  };
  const threeWeeks = (21 * 86_400_000) / 10_000;
  const parts = ['1m', '5m', '10m', '15m', '30m', '1h'].map((window) => partOf(window, threeWeeks) / 60_000);
  expect(parts).toEqual([1, 5, 5, 5, 5, 5]);
  expect(partOf('10m', 25_000)).toBe(50_000);
  expect(partOf('90s', threeWeeks)).toBe(90_000);
  expect(partOf('1m', 8640)).toBe(10_000);
});
