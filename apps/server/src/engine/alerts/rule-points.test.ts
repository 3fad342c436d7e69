import { mostGroups, planRule, RuleEvaluator, type RuleEntry } from '@nowcast/alerts';
import { ByteReader, ByteWriter, evaluationSchema, type SeriesDefinition } from '@nowcast/contract';
import { SeriesIndex, Tail } from '@nowcast/head';
import { inOneTurn } from '@nowcast/kernel/slices';
import { expect, test } from 'vitest';
import { SeriesWatch } from '../series-watch.ts';
import { RulePoints } from './rule-points.ts';

const start = 1_700_000_040_000;
const evaluation = evaluationSchema.parse({
  query: { metric_type: 'cpu', agg: 'avg' },
  group_by: ['host'],
  window: '1m',
  condition: { kind: 'threshold', op: 'above', value: 80 },
});
const plan = planRule(evaluation, () => 'avg');

function newRule(saved?: Uint8Array): RuleEntry {
  const evaluator = new RuleEvaluator(plan);
  if (saved !== undefined) evaluator.load(new ByteReader(saved));
  const rule = { rule_id: 'r', version: 1, evaluation };
  return { tenant: 't', rule, plan, problem: undefined, evaluator, composite: undefined };
}

function definition(host: string): SeriesDefinition {
  return { tenant: 't', metric_type: 'cpu', source: '', labels: [['host', host]] };
}

test('of two hosts that come when one place is left the same one is watched live and at a replay', () => {
  const index = new SeriesIndex(1);
  const tail = new Tail(0);
  const pair = ['x', 'y'].map((host) => index.define(definition(host)));
  const others = Array.from({ length: mostGroups - 1 }, (_, i) => index.define(definition(`h${i}`)));
  const receive = (handles: readonly number[], value: number, at: number): Uint32Array => {
    const columns = {
      handles: Uint32Array.from(handles),
      timestamps: new Float64Array(handles.length).fill(at),
      values: new Float64Array(handles.length).fill(value),
    };
    const [offset, count] = [tail.end, handles.length];
    tail.append({ offset, receivedAt: at, ...columns, count, extras: undefined });
    return columns.handles;
  };
  const decide = (points: RulePoints, { evaluator }: RuleEntry, from: number, now: number) => {
    inOneTurn(points.fold(points.take(), [from], [tail.end], now));
    return evaluator!.evaluate(now).map(({ group, to }) => `${group.labels['host']} ${to}`);
  };
  for (const order of [pair, pair.toReversed()]) {
    const rule = newRule();
    const live = new RulePoints(index, new SeriesWatch(index), [tail]);
    live.add(rule);
    live.take();
    const first = tail.end;
    live.note(receive(others, 50, start));
    expect(decide(live, rule, first, start)).toEqual([]);
    const writer = new ByteWriter();
    rule.evaluator!.save(writer);
    const seen = tail.end;
    for (const handle of order) live.note(receive([handle], 95, start + 100));
    const decided = decide(live, rule, seen, start + 150);
    expect(decided).toHaveLength(1);
    // What a start does: the rule as it was saved, every series it may read, and the points since.
    const again = newRule(writer.written().slice());
    const replay = new RulePoints(index, new SeriesWatch(index), [tail]);
    replay.add(again);
    replay.noteBetween([seen], [tail.end]);
    expect(decide(replay, again, seen, start + 150)).toEqual(decided);
  }
});
