import { type EvaluatedRule, evaluationSchema, type EvaluationInput } from '@nowcast/contract';
import { inOneTurn } from '@nowcast/kernel/slices';
import { describe, expect, test } from 'vitest';
import { FoldedRun } from './folded-run.ts';
import { RuleSet } from './rule-set.ts';

const start = 1_700_000_000_000;
const none = new Uint8Array(0);
const firing = { kind: 'threshold' as const, op: 'above' as const, value: 80 };
const query = { metric_type: 'cpu', agg: 'last' as const };

function rule(id: string, evaluation: EvaluationInput, version = 1): EvaluatedRule {
  return { rule_id: id, version, evaluation: evaluationSchema.parse(evaluation) };
}

/** Rules of one tenant, driven tick by tick; every tick has its own place in the log. */
class Driven {
  rules = new RuleSet(() => 'avg');
  #seq = 0;
  #now = start;

  put(content: EvaluatedRule, seed: Uint8Array = none): this {
    this.rules.put('acme', content, seed, this.moment());
    return this;
  }

  moment() {
    this.#seq += 1;
    this.#now += 1000;
    return { now: this.#now, seq: this.#seq, receivedAt: this.#now };
  }

  tick(values: Readonly<Record<string, [host: string, value: number]>>) {
    const moment = this.moment();
    for (const [id, [host, value]] of Object.entries(values)) {
      const { evaluator } = this.rules.get('acme', id)!;
      const labels: [string, string][] = [['host', host]];
      const unit = evaluator!.addSeries(0, { tenant: 'acme', metric_type: 'cpu', source: '', labels }, host);
      evaluator!.add(0, unit, FoldedRun.ofPoint(moment.now, value), moment.now);
    }
    return inOneTurn(this.rules.evaluate(moment));
  }

  reload(): this {
    const bytes = inOneTurn(this.rules.save());
    this.rules = new RuleSet(() => 'avg');
    expect(this.rules.load(bytes)).toBe(true);
    expect(inOneTurn(this.rules.save())).toEqual(bytes);
    return this;
  }
}

describe('the names of transitions', () => {
  const content = rule('r', { query, group_by: ['host'], window: '1m', condition: firing });

  test('are the same after a crash, and one episode has one alert', () => {
    const run = (crash: boolean) => {
      const driven = new Driven().put(content);
      const said = [90, 10, 95, 20].flatMap((value) => {
        const transitions = driven.tick({ r: ['a', value] });
        if (crash) driven.reload();
        return transitions;
      });
      return said;
    };
    const said = run(false);
    expect(run(true)).toEqual(said);
    expect(said.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'ok firing',
      'firing ok',
      'ok firing',
      'firing ok',
    ]);
    expect(new Set(said.map((one) => one.transition_id)).size).toBe(4);
    expect(said[0]!.alert_id).toBe(said[1]!.alert_id);
    expect(said[2]!.alert_id).toBe(said[3]!.alert_id);
    expect(said[0]!.alert_id).not.toBe(said[2]!.alert_id);
  });

  test('a rule that is changed ends what fired, under its alert', () => {
    const driven = new Driven().put(content);
    const [fired] = driven.tick({ r: ['a', 90] });
    const { ended } = driven.rules.put('acme', { ...content, version: 2 }, none, driven.moment());
    expect(ended).toMatchObject([
      { alert_id: fired!.alert_id, from: 'firing', to: 'ok', reason: 'rule_changed' },
    ]);
  });
});

describe('a rule about rules', () => {
  const byHost = rule('a', { query, group_by: ['host'], window: '1m', condition: firing });
  const total = rule('b', { query, window: '1m', condition: firing });
  const both = rule('both', {
    group_by: ['host'],
    condition: { kind: 'composite', mode: 'all', rule_ids: ['a', 'b'] },
  });

  test('fires for a group that fires in one, when the other has no such label', () => {
    const driven = new Driven().put(byHost).put(total).put(both);
    const names = (all: ReturnType<Driven['tick']>) =>
      all.filter((one) => one.rule_id === 'both').map(({ labels, to }) => `${labels['host']} ${to}`);
    expect(names(driven.tick({ a: ['x', 90] }))).toEqual([]);
    expect(names(driven.tick({ b: ['any', 90] }))).toEqual(['x firing']);
    driven.reload();
    expect(names(driven.tick({ b: ['any', 10] }))).toEqual(['x ok']);
  });
});

test('a rule about rules names a label that none of them groups by as empty, whatever it is called', () => {
  const byHost = rule('a', { query, group_by: ['host'], window: '1m', condition: firing });
  const condition = { kind: 'composite' as const, mode: 'any' as const, rule_ids: ['a'] };
  const driven = new Driven().put(byHost).put(rule('any', { group_by: ['constructor'], condition }));
  const [said] = driven.tick({ a: ['x', 90] }).filter((one) => one.rule_id === 'any');
  expect(said?.labels).toEqual({ constructor: '' });
});

test('a rule about any of two ends for a group with what fired for that group, although the other fires for all', () => {
  const byHost = rule('a', { query, group_by: ['host'], window: '1m', condition: firing });
  const total = rule('b', { query, window: '1m', condition: firing });
  const any = rule('any', {
    group_by: ['host'],
    condition: { kind: 'composite', mode: 'any', rule_ids: ['a', 'b'] },
  });
  const driven = new Driven().put(byHost).put(total).put(any);
  const names = (all: ReturnType<Driven['tick']>) =>
    all.filter((one) => one.rule_id === 'any').map(({ labels, to }) => `${labels['host']} ${to}`);
  expect(names(driven.tick({ b: ['any', 90] }))).toEqual([' firing']);
  expect(names(driven.tick({ a: ['x', 90] }))).toEqual(['x firing']);
  expect(names(driven.tick({ a: ['x', 10] }))).toEqual(['x ok']);
  expect(names(driven.tick({ b: ['any', 10] }))).toEqual([' ok']);
});

describe('state of another version of the program', () => {
  const content = rule('r', { query, window: '1m', condition: firing });

  test('is not read, neither of all rules nor as the seed of one', () => {
    const driven = new Driven().put(content);
    const bytes = inOneTurn(driven.rules.save());
    bytes[0] = 255;
    expect(new RuleSet(() => 'avg').load(bytes)).toBe(false);
    driven.put({ ...content, version: 2 }, Uint8Array.of(255, 1, 2, 3));
    expect(driven.tick({ r: ['a', 90] })).toMatchObject([{ to: 'firing' }]);
  });
});
