import { type Evaluation, type RuleContentInput, ruleContentSchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person, startMs } from './testing/notify-bench.ts';

const ed = person('ed', 'editor');
const vic = person('vic', 'viewer');
const zoe = person('zoe', 'owner', 'globex');
const minute = 60_000;

let bench: NotifyBench;
const asked: { evaluation: Evaluation; from: number; to: number }[] = [];
beforeEach(async () => {
  bench = new NotifyBench();
  asked.length = 0;
  bench.preview = async (_tenant, evaluation, from, to) => {
    asked.push({ evaluation, from, to });
    const line = { timestamp: [to - 2 * minute, to - 1], value: [70, null], transitions: [] };
    const series = [{ labels: { host: 'web-1' }, ...line }];
    return { from, to, step_ms: 5000, point_ms: 5000, fired: 0, series, more: 0 };
  };
  await bench.start();
});
afterEach(() => bench.stop());

async function fire(evaluation: Partial<RuleContentInput['evaluation']>): Promise<void> {
  const content = ruleContentSchema.parse({
    name: 'CPU',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
      ...evaluation,
    },
  });
  const rule = await bench.alerts.createRule(ed, content);
  const seq = bench.tick({ rule_id: rule.rule_id });
  await vi.waitFor(() => expect(bench.confirmed).toContain(seq), 30_000);
}

describe('the series of an alert', () => {
  it('is its group’s value around the moment it fired, and no longer than that', async () => {
    await fire({});
    expect(await bench.alerts.alertSeries(vic, 'a1')).toEqual({
      from: startMs - 60 * minute,
      to: startMs,
      point_ms: 5000,
      timestamp: [startMs - 2 * minute, startMs - 1],
      value: [70, null],
    });
    expect(asked[0]?.evaluation.query?.where).toEqual({ host: ['web-1'] });
    bench.clock.advance(300 * minute);
    await bench.alerts.alertSeries(vic, 'a1');
    expect(asked[1]).toMatchObject({ from: startMs - 45 * minute, to: startMs + 15 * minute });
    await expect(bench.alerts.alertSeries(zoe, 'a1')).rejects.toMatchObject({ code: 'request.not_found' });
  });

  it('is two windows of a rule that looks far back', async () => {
    await fire({ window: '6h' });
    await bench.alerts.alertSeries(vic, 'a1');
    expect(asked).toMatchObject([{ from: startMs - 720 * minute, to: startMs }]);
  });
});
