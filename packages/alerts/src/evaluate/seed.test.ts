import { ByteReader, ByteWriter, evaluationSchema } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { FoldedRun } from './folded-run.ts';
import { coarser, planRule } from './plan.ts';
import { RuleEvaluator } from './rule-evaluator.ts';

const minute = 60_000;
const week = 7 * 86_400_000;

test('what was learned in longer parts than the rule’s own is written as the rule reads it', () => {
  const condition = { kind: 'change', direction: 'rises', by: 50, unit: 'percent', against: 'week' } as const;
  const evaluation = evaluationSchema.parse({
    query: { metric_type: 'm', agg: 'avg' },
    window: '13m',
    condition,
  });
  const plan = planRule(evaluation, () => 'avg');
  const definition = { tenant: 't', metric_type: 'm', source: '', labels: [] };
  const teacher = new RuleEvaluator(coarser(plan, 60_000));
  const start = Math.ceil(1_700_000_000_000 / (13 * minute)) * 13 * minute;
  const unit = teacher.addSeries(0, definition, 's');
  for (let at = start; at < start + week + 60 * minute; at += 13 * minute) {
    teacher.add(0, unit, FoldedRun.ofPoint(at, 10), at);
    teacher.evaluate(at);
  }
  const seeded = new RuleEvaluator(plan);
  seeded.learnFrom(teacher);
  const writer = new ByteWriter();
  seeded.save(writer);
  const rule = new RuleEvaluator(plan);
  expect(rule.load(new ByteReader(new Uint8Array(writer.written())))).toBe(true);
  const [group] = rule.groups.values();
  // Every five minutes, though a value was learned every thirteen.
  for (let at = start + week + 60 * minute; at < start + week + 180 * minute; at += 5 * minute)
    expect(group!.baseline!.limits(at)?.upper).toBe(15);
});
