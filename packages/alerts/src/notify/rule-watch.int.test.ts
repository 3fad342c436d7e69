import { ruleContentSchema } from '@nowcast/contract';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NotifyBench, person } from './testing/notify-bench.ts';

const ed = person('ed', 'editor');
const patience = 30_000;
const day = 86_400_000;

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

it('forgets after days what was over before it fired and after a year what fired, but no start waits for that', async () => {
  const content = ruleContentSchema.parse({
    name: 'CPU > 80 %',
    evaluation: { query: { metric_type: 'cpu' }, condition: { kind: 'threshold', op: 'above', value: 80 } },
  });
  const { rule_id } = await bench.alerts.createRule(ed, content);
  for (const [alert_id, to] of [
    ['only pending', 'pending'],
    ['fired', 'firing'],
  ] as const) {
    bench.tick({ rule_id, alert_id, to, labels: { host: alert_id } });
    const seq = bench.tick({ rule_id, alert_id, to: 'ok', labels: { host: alert_id } });
    await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
  }
  const { alerts } = bench.store.alerting;
  const left = async () => {
    const ids = ['only pending', 'fired'];
    const rows = await Promise.all(ids.map((id) => alerts.get('acme', id)));
    return ids.filter((_, i) => rows[i] !== undefined);
  };
  const leaves = (wanted: readonly string[]) =>
    vi.waitFor(async () => {
      bench.clock.advance(30_000);
      expect(await left()).toEqual(wanted);
    }, patience);
  bench.clock.advance(3 * day);
  await bench.again();
  expect(await left()).toEqual(['only pending', 'fired']);
  await leaves(['fired']);
  bench.clock.advance(366 * day);
  await leaves([]);
});
