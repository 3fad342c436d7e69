import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { evaluationSchema, type EvaluationInput } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineBench } from '../testing/engine-bench.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
let bench: EngineBench;
beforeEach(async () => {
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => new LocalEventLog({ directory, partitions: 3 }),
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
  });
  await bench.start();
});
afterEach(() => bench.destroy());

const highCpu: EvaluationInput = {
  query: { metric_type: 'cpu', agg: 'last' },
  group_by: ['host'],
  window: '1m',
  condition: { kind: 'threshold', op: 'above', value: 80 },
};

function put(evaluation: EvaluationInput, version = 1, id = 'r1'): Promise<void> {
  return bench.core.alerts.put('acme', {
    rule_id: id,
    version,
    evaluation: evaluationSchema.parse(evaluation),
  });
}

const send = (host: string, value: number, at = bench.clock.now()) =>
  bench.ingest(`cpu,host=${host} value=${value} ${at}`, { format: 'line-protocol' });

/** Everything decided so far, in order, without repetitions. */
function said(): string[] {
  const seen = new Map(
    bench.batches.flatMap(({ transitions }) => transitions).map((one) => [one.transition_id, one]),
  );
  return [...seen.values()].map(({ labels, from, to }) => `${labels['host'] ?? 'all'} ${from} ${to}`);
}

describe('alert rules in the engine', () => {
  test('fire at the point that decides, for series that existed before and for new ones', async () => {
    await send('a', 10);
    await put(highCpu);
    await send('a', 90);
    await send('b', 95);
    await bench.settle();
    expect(said().sort()).toEqual(['a ok firing', 'b ok firing']);
    await send('a', 20);
    await bench.settle();
    expect(said().at(-1)).toBe('a firing ok');
  });

  test('count each point once that came just before the rule, which reads it and hears of it', async () => {
    await put({ ...highCpu, query: { metric_type: 'other', agg: 'last' } }, 1, 'other');
    await bench.settle();
    const hit = (value: number, at: number) =>
      bench.ingest(`hits,host=a value=${value} ${at}`, { format: 'line-protocol' });
    const at = bench.clock.now();
    for (let i = 0; i < 3; i++) await hit(i, at - 10 * i);
    await put({
      query: { metric_type: 'hits', agg: 'count' },
      window: '1m',
      condition: { kind: 'threshold', op: 'above', value: 4 },
    });
    await bench.settle();
    await hit(9, bench.clock.now());
    await bench.settle();
    expect(said()).toEqual([]);
    await hit(10, bench.clock.now());
    await bench.settle();
    expect(said()).toEqual(['all ok firing']);
  });

  test('decide the same again after a crash: nothing is lost and every name is the same', async () => {
    await put({ ...highCpu, for: '3s' });
    await send('a', 90);
    await bench.settle();
    const before = bench.batches.flatMap(({ transitions }) => transitions);
    expect(said()).toEqual(['a ok pending', 'a pending firing']);
    bench.batches.length = 0;
    await bench.crash();
    expect(bench.batches.flatMap(({ transitions }) => transitions)).toEqual(before);
    await send('a', 10);
    await bench.settle();
    expect(said().at(-1)).toBe('a firing ok');
    expect(bench.batches.flatMap(({ transitions }) => transitions).at(-1)!.alert_id).toBe(
      before[0]!.alert_id,
    );
  });

  test('a breach whose tick the crash took is found at the next start', async () => {
    await put(highCpu);
    await bench.settle();
    await bench.crashInAppend('stored', () => send('a', 99));
    await bench.settle();
    expect(said()).toEqual(['a ok firing']);
  });

  test('confirmed transitions are not said again, those above are', async () => {
    await put(highCpu);
    await send('a', 90);
    await bench.settle();
    bench.core.alerts.engine.confirm(bench.batches.at(-1)!.seq);
    await send('b', 90);
    await bench.settle();
    bench.batches.length = 0;
    await bench.restart();
    expect(said()).toEqual(['b ok firing']);
  });

  test('states survive flushes, evictions and restarts: the log is cut, the wait goes on', async () => {
    await put({ ...highCpu, for: '60s', window: '10m' });
    await send('a', 90);
    await bench.settle();
    await bench.flush();
    await bench.restart();
    bench.clock.advance(61_000);
    await bench.settle();
    expect(said()).toEqual(['a ok pending', 'a pending firing']);
  });

  test('do not take their own absence for the silence of those they watch', async () => {
    await put({ ...highCpu, condition: { kind: 'no_data' } }, 1, 'silent');
    await put({ ...highCpu, no_data: 'alert' }, 1, 'missing');
    await put({ ...highCpu, condition: { kind: 'flapping', times: 2 }, window: '1h' }, 1, 'flaps');
    await put(
      {
        ...highCpu,
        query: { metric_type: 'cpu', agg: 'count' },
        condition: { kind: 'threshold', op: 'below', value: 3 },
      },
      1,
      'few',
    );
    const pass = async (rounds: number, hosts: string[]) => {
      for (let i = 0; i < rounds; i += 1) {
        for (const host of hosts) await send(host, 10);
        await bench.settle();
      }
    };
    await pass(16, ['a', 'b']);
    await bench.restart(bench.clock.now() + 300_000);
    await pass(2, ['a', 'b']);
    await bench.restart(bench.clock.now() + 300_000);
    await bench.settle();
    await pass(13, ['a']);
    expect(said()).toEqual([]);

    await pass(6, ['a']);
    const before = bench.batches.flatMap(({ transitions }) => transitions);
    expect(before.map(({ rule_id: id, labels, to }) => `${id} ${labels['host']} ${to}`).sort()).toEqual([
      'few b firing',
      'missing b firing',
      'silent b firing',
    ]);
    bench.batches.length = 0;
    await bench.crash();
    expect(bench.batches.flatMap(({ transitions }) => transitions)).toEqual(before);
    // What was silent before the pause still is.
    await bench.restart(bench.clock.now() + 300_000);
    await pass(2, ['a']);
    expect(said().filter((one) => one.endsWith('ok'))).toEqual([]);
  });

  test('a changed rule ends what it said and begins anew; a removed one ends it', async () => {
    await put(highCpu);
    await send('a', 90);
    await bench.settle();
    await put({ ...highCpu, condition: { kind: 'threshold', op: 'above', value: 95 } }, 2);
    await bench.settle();
    expect(said()).toEqual(['a ok firing', 'a firing ok']);
    await send('a', 99);
    await bench.settle();
    await bench.core.alerts.remove('acme', 'r1');
    await bench.settle();
    expect(said().slice(2)).toEqual(['a ok firing', 'a firing ok']);
    expect(bench.core.alerts.rules('acme')).toEqual([]);
  });

  test('a rule begins with the window that history gives it', async () => {
    for (let s = 50; s >= 0; s -= 1) await send('a', 100, bench.clock.now() - s * 1000);
    await put({
      ...highCpu,
      query: { metric_type: 'cpu', agg: 'count' },
      condition: { kind: 'threshold', op: 'above', value: 51 },
    });
    await send('a', 1);
    await bench.settle();
    expect(said()).toEqual(['a ok firing']);
  });

  test('a rule about rules fires when all of them do, for the labels they share', async () => {
    await put(highCpu);
    await put({ ...highCpu, query: { metric_type: 'load', agg: 'last' } }, 1, 'r2');
    const both = { kind: 'composite' as const, mode: 'all' as const, rule_ids: ['r1', 'r2'] };
    await put({ condition: both, group_by: ['host'] }, 1, 'r3');
    await send('a', 90);
    await bench.ingest(`load,host=a value=90 ${bench.clock.now()}`, { format: 'line-protocol' });
    await bench.settle();
    const ids = bench.batches
      .flatMap(({ transitions }) => transitions)
      .map(({ rule_id, to }) => `${rule_id} ${to}`);
    expect(ids.sort()).toEqual(['r1 firing', 'r2 firing', 'r3 firing']);
  });

  test('what a rule would have done is computed from history by the same evaluator', async () => {
    const at = bench.clock.now();
    for (let minute = 60; minute > 0; minute -= 1)
      await send('a', minute === 30 || minute === 10 ? 99 : 5, at - minute * 60_000);
    await bench.flush();
    const signal = new AbortController().signal;
    const evaluation = evaluationSchema.parse(highCpu);
    const range = { from: at - 3_600_000, to: at };
    const preview = await bench.core.alerts.preview('acme', evaluation, range, signal);
    expect(preview.fired).toBe(2);
    expect(preview.series.map(({ labels }) => labels)).toEqual([{ host: 'a' }]);
    expect(preview.series[0]!.transitions.map(({ to }) => to)).toEqual(['firing', 'ok', 'firing', 'ok']);
  });

  test('what was broken before the range is firing when it begins', async () => {
    const at = bench.clock.now();
    for (let minute = 60; minute > 0; minute -= 1) await send('a', 99, at - minute * 60_000);
    await bench.flush();
    const range = { from: at - 1_800_000, to: at - 60_000 };
    const { signal } = new AbortController();
    const preview = await bench.core.alerts.preview('acme', evaluationSchema.parse(highCpu), range, signal);
    expect(preview.fired).toBe(1);
    expect(preview.series[0]!.transitions).toMatchObject([{ from: 'ok', to: 'firing', at: range.from }]);
  });

  test('a range of more parts than points shows what lay between the points, or a short breach would be invisible', async () => {
    const at = bench.clock.now();
    for (let minute = 60; minute > 0; minute -= 1)
      await send('a', minute === 30 || minute === 10 ? 99 : 5, at - minute * 60_000);
    await bench.flush();
    const evaluation = evaluationSchema.parse({ ...highCpu, window: '10s' });
    const range = { from: at - 86_400_000, to: at };
    const { signal } = new AbortController();
    const preview = await bench.core.alerts.preview('acme', evaluation, range, signal);
    const [line] = preview.series;
    expect(preview.fired).toBe(2);
    expect(line!.timestamp.length).toBeLessThanOrEqual(500);
    expect([line!.least!.length, line!.greatest!.length]).toEqual([
      line!.timestamp.length,
      line!.timestamp.length,
    ]);
    const gaps = line!.timestamp.slice(1).map((moment, i) => moment - line!.timestamp[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(preview.point_ms);
    const known = (values: (number | null)[]) => values.filter((value) => value !== null);
    expect([Math.min(...known(line!.least!)), Math.max(...known(line!.greatest!))]).toEqual([5, 99]);
    for (const { at: moment } of line!.transitions.filter(({ to }) => to === 'firing'))
      expect(line!.greatest![line!.timestamp.findIndex((point) => point >= moment)]).toBe(99);
  });

  test('where data begins late in the range the answer begins there, as fine as a short range is', async () => {
    const to = bench.clock.now();
    for (let s = 720; s >= 0; s -= 10) await send('a', s > 300 && s < 360 ? 99 : 5, to - s * 1000);
    const { signal } = new AbortController();
    const ask = (days: number) => {
      const range = { from: to - days * 86_400_000, to };
      return bench.core.alerts.preview('acme', evaluationSchema.parse(highCpu), range, signal);
    };
    const preview = await ask(7);
    expect(preview).toMatchObject({ to, fired: 1, note: 'history begins there' });
    // To the part of a window: five seconds.
    expect(Math.abs(to - 720_000 - preview.from)).toBeLessThanOrEqual(5000);
    expect(preview.point_ms).toBe(5000);
    const { timestamp } = preview.series[0]!;
    expect(timestamp.length).toBeGreaterThan(140);
    expect(to - timestamp.at(-1)!).toBeLessThan(5000);
    // A moment of data in a month is a point at least.
    expect((await ask(31)).series).toHaveLength(1);
  });

  test('what a rule would have done with very many groups is tried over as much as can be read, and let go of when nobody waits', async () => {
    const to = bench.clock.now();
    const hosts = Array.from({ length: 2000 }, (_, i) => `host${i}`);
    const lines = hosts.flatMap((host) =>
      [12 * 3_600_000, 20_000].map((ago) => `cpu,host=${host} value=99 ${to - ago}`),
    );
    await bench.ingest(lines.join('\n'), { format: 'line-protocol' });
    const evaluation = evaluationSchema.parse(highCpu);
    const range = { from: to - 7 * 86_400_000, to };
    const preview = await bench.core.alerts.preview('acme', evaluation, range, new AbortController().signal);
    expect(preview.fired).toBe(2000);
    expect(preview.more).toBe(1980);
    // Two million parts of a window, of a minute each.
    expect((to - preview.from) / 60_000).toBeLessThan(1000);
    expect(preview.note).toMatch(/so many groups/);

    const leaving = new AbortController();
    const left = bench.core.alerts.preview('acme', evaluation, range, leaving.signal);
    setImmediate(() => leaving.abort());
    await expect(left).rejects.toMatchObject({ code: 'request.cancelled' });
  });

  test('what is usual, or was a week ago, is learned and tried with the shortest windows too', async () => {
    const to = bench.clock.now();
    const day = 86_400_000;
    const lines = Array.from({ length: 2100 }, (_, i) => `cpu value=${i < 3 ? 99 : 10} ${to - i * 300_000}`);
    await bench.ingest(lines.join('\n'), { format: 'line-protocol' });
    const unusual = { kind: 'anomaly', direction: 'above', sensitivity: 'medium' } as const;
    const risen = { kind: 'change', direction: 'rises', by: 50, unit: 'percent', against: 'week' } as const;
    const evaluationOf = (condition: EvaluationInput['condition'], window: string) =>
      evaluationSchema.parse({ query: { metric_type: 'cpu', agg: 'avg' }, window, condition });
    const ask = (condition: EvaluationInput['condition'], window: string, days: number) =>
      bench.core.alerts.preview(
        'acme',
        evaluationOf(condition, window),
        { from: to - days * day, to },
        new AbortController().signal,
      );
    for (const [condition, days] of [
      [unusual, 7],
      [unusual, 1],
      [risen, 7],
    ] as const) {
      const preview = await ask(condition, '1m', days);
      expect(preview.from).toBeLessThan(to - day / 3);
      expect(preview.fired).toBeGreaterThan(0);
      if (days === 7) expect(preview.note).toMatch(/newest part/);
      else expect(preview.note).toBeUndefined();
    }
    expect((await ask(risen, '10s', 7)).note).toMatch(/does not reach back/);

    await put(evaluationOf(unusual, '1m'), 1, 'unusual');
    await put(evaluationOf(risen, '1m'), 1, 'risen');
    await bench.settle();
    await bench.ingest(`cpu value=500 ${bench.clock.now()}`, { format: 'line-protocol' });
    await bench.settle();
    const fired = bench.batches.flatMap(({ transitions }) => transitions.map(({ rule_id }) => rule_id));
    expect([...new Set(fired)].sort()).toEqual(['risen', 'unusual']);
    expect(bench.core.alerts.rules('acme').map(({ problem }) => problem)).toEqual([undefined, undefined]);
    await put(evaluationOf(risen, '10s'), 1, 'blind');
    const blind = bench.core.alerts.rules('acme').find(({ ruleId }) => ruleId === 'blind');
    expect(blind?.problem).toMatch(/too little of its history could be read/);
    expect(bench.warnings).toEqual([]);
  });

  test('a filter that cannot be read is refused before it is logged, and everybody goes on', async () => {
    await send('a', 10);
    const unread = { a: ['nope'], path: { regex: '(' } };
    for (const query of [
      { metric_type: 'not_there_yet', where: unread },
      { metric_type: 'cpu', where: unread },
    ])
      for (const evaluation of [
        { ...highCpu, query: { ...query, agg: 'last' as const } },
        { ...highCpu, divide_by: { ...query, agg: 'last' as const } },
      ])
        await expect(put(evaluation)).rejects.toMatchObject({ code: 'query.invalid' });
    expect((await send('a', 20)).status).toBe(204);
    await bench.restart();
    expect((await send('a', 30)).status).toBe(204);
    expect(bench.core.alerts.rules('acme')).toEqual([]);
  });

  test('a rule that learns, and whose history could not be read, says so until it has learned by itself', async () => {
    // A second's window and ten minutes' delay of so many hosts are more than can be read.
    const lines = Array.from({ length: 3500 }, (_, i) => `cpu,host=h${i} value=1 ${bench.clock.now()}`);
    await bench.ingest(lines.join('\n'), { format: 'line-protocol' });
    const wide = { ...highCpu, window: '1s', delay: '10m' };
    await put(wide, 1, 'limit');
    await put(
      { ...wide, condition: { kind: 'anomaly', direction: 'above', sensitivity: 'low' } },
      1,
      'unusual',
    );
    const unread = () =>
      bench.core.alerts
        .rules('acme')
        .flatMap(({ ruleId, problem }) => (problem?.includes('history could not be read') ? ruleId : []));
    expect(unread()).toEqual(['unusual']);
    bench.clock.advance(86_400_000 + 1_300_000);
    expect(unread()).toEqual([]);
  });

  test('a rule that nothing matches says so', async () => {
    await put({ ...highCpu, query: { metric_type: 'nothing_sends_this', agg: 'last' } });
    expect(bench.core.alerts.rules('acme')[0]?.problem).toMatch(/nothing of nothing_sends_this that matches/);
  });
});
