import {
  type Evaluation,
  type RuleContentInput,
  ruleContentSchema,
  type RulePreview,
} from '@nowcast/contract';
import type { AlertMessage } from '@nowcast/ports';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person, startMs } from './testing/notify-bench.ts';

const ed = person('ed', 'editor');
const hour = 3_600_000;

let bench: NotifyBench;
const asked: { evaluation: Evaluation; from: number; to: number }[] = [];
let series: RulePreview['series'];
beforeEach(async () => {
  bench = new NotifyBench();
  asked.length = 0;
  const timestamp = [startMs - 120_000, startMs - 60_000, startMs, startMs + 60_000];
  series = [{ labels: { host: 'web-1' }, timestamp, value: [70, null, 95, 99], transitions: [] }];
  bench.preview = async (_tenant, evaluation, from, to) => {
    asked.push({ evaluation, from, to });
    return { from, to, step_ms: 60_000, point_ms: 60_000, fired: 0, series, more: 0 };
  };
  await bench.start();
});
afterEach(() => bench.stop());

/** What is mailed when a rule with this evaluation fires. */
async function mailed(evaluation: RuleContentInput['evaluation']): Promise<AlertMessage> {
  const content = ruleContentSchema.parse({ name: 'CPU', severity: 'critical', evaluation });
  const rule = await bench.alerts.createRule(ed, content);
  const before = bench.sent.length;
  bench.tick({ rule_id: rule.rule_id });
  await vi.waitFor(() => expect(bench.sent.length).toBeGreaterThan(before), 30_000);
  return bench.sent.at(-1)!.message;
}

const cpu: RuleContentInput['evaluation'] = {
  query: { metric_type: 'cpu', where: { host: { not: ['old'] }, site: ['eu'] } },
  group_by: ['host'],
  condition: { kind: 'threshold', op: 'outside', value: 10, upper: 80 },
};

describe('the picture of a mail', () => {
  it('is the value of the alert’s group over the last hour, with the limits of the rule', async () => {
    const { chart, chartProblem } = await mailed({ ...cpu, divide_by: { metric_type: 'cores' } });
    expect(chartProblem).toBeUndefined();
    expect(asked).toMatchObject([{ from: startMs - hour, to: startMs }]);
    const { query, divide_by: divideBy, group_by: groupBy } = asked[0]!.evaluation;
    expect(query?.where).toEqual({ host: { all: [{ not: ['old'] }, ['web-1']] }, site: ['eu'] });
    expect(divideBy?.where).toEqual({ host: ['web-1'] });
    expect(groupBy).toEqual(['host']);
    const span = { from: startMs - hour, to: startMs };
    expect(chart).toEqual({
      ...span,
      timestamps: [startMs - 120_000, startMs - 60_000, startMs],
      values: [70, Number.NaN, 95],
      limits: [
        { value: 10, ...span },
        { value: 80, ...span },
      ],
      firing: [{ from: startMs, to: startMs }],
    });
  });

  it('shows a limit that moves only for the time it is known, and two windows of a long one', async () => {
    const usual = { kind: 'anomaly', direction: 'above', sensitivity: 'medium' } as const;
    const { chart } = await mailed({ ...cpu, window: '6h', condition: usual });
    expect(asked).toMatchObject([{ from: startMs - 12 * hour, to: startMs }]);
    expect(asked[0]!.evaluation.condition.kind).toBe('threshold');
    expect(chart?.limits).toEqual([{ value: 80, from: startMs, to: startMs }]);
  });

  it('is read once for all who are told', async () => {
    const role = { kind: 'role', role: 'editor' } as const;
    const content = ruleContentSchema.parse({
      name: 'CPU',
      severity: 'critical',
      evaluation: cpu,
      notify: { targets: [role, { kind: 'user', user_id: 'ada' }, { kind: 'user', user_id: 'vic' }] },
    });
    const rule = await bench.alerts.createRule(ed, content);
    bench.tick({ rule_id: rule.rule_id });
    await vi.waitFor(() => expect(bench.sent).toHaveLength(3), 30_000);
    expect(asked).toHaveLength(1);
    expect(new Set(bench.sent.map(({ message }) => message.chart)).size).toBe(1);
  });

  it.each([
    [
      'nothing was there',
      async () => ({ from: 0, to: 1, step_ms: 1, point_ms: 1, fired: 0, series: [], more: 0 }),
    ],
    ['the data cannot be read', () => Promise.reject(new Error('down'))],
  ])('when %s, the mail goes without it and says so', async (_, preview) => {
    bench.preview = preview;
    const { chart, chartProblem } = await mailed(cpu);
    expect(chart).toBeUndefined();
    expect(chartProblem).toMatch(/^(?:there are not two values|the data could not be read)/);
  });

  it('when the data does not come in time, the mail goes without it and the reading ends', async () => {
    const signals: AbortSignal[] = [];
    bench.preview = (...args) => {
      signals.push(args[4]!);
      return new Promise(() => {});
    };
    const rule = await bench.alerts.createRule(
      ed,
      ruleContentSchema.parse({ name: 'CPU', severity: 'critical', evaluation: cpu }),
    );
    bench.tick({ rule_id: rule.rule_id });
    await vi.waitFor(() => expect(signals).toHaveLength(1), 30_000);
    expect(bench.sent).toEqual([]);
    bench.clock.advance(5000);
    await vi.waitFor(() => expect(bench.sent).toHaveLength(1), 30_000);
    expect(bench.sent[0]?.message.chartProblem).toBe('the data did not come within 5 s.');
    expect(signals[0]?.aborted).toBe(true);
  });

  it('is not drawn for a test, whose alert is an example', async () => {
    await bench.alerts.testRule(
      person('ada', 'owner'),
      (
        await bench.alerts.createRule(
          ed,
          ruleContentSchema.parse({ name: 'CPU', severity: 'critical', evaluation: cpu }),
        )
      ).rule_id,
    );
    await vi.waitFor(() => expect(bench.sent).toHaveLength(2), 30_000);
    // For the example's value.
    expect(asked).toHaveLength(1);
    expect(bench.sent.every(({ message }) => !('chart' in message) && !('chartProblem' in message))).toBe(
      true,
    );
  });
});
