import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { differences, evaluate, type ReferencePoint } from '@nowcast/aggregate/testing';
import { type QueryInput, querySchema } from '@nowcast/contract';
import { ManualClock, systemClock } from '@nowcast/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryService } from './index.ts';
import { JoinBench } from './testing/join-bench.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A Monday, 00:00 UTC. */
const nowMs = 1_789_948_800_000;
const retention = { rawMs: 30 * dayMs, fineMs: 180 * dayMs, coarseMs: 5 * 366 * dayMs };

let dir: string;
let bench: JoinBench;
let service: QueryService;
const points: ReferencePoint[] = [];

/** Two hours of points of a host of the metric, in the middle of a day so long ago. */
function send(metric: string, host: string, daysAgo: number, everyMs: number): void {
  const noon = nowMs - daysAgo * dayMs + 12 * hourMs;
  for (let at = noon; at < noon + 2 * hourMs; at += everyMs) {
    const labels = [['host', host] as [string, string]];
    const series = { tenant: 't', metric_type: metric, source: 'a', labels };
    const point = { series, timestamp: at, value: ((at / everyMs) * 37) % 101 };
    points.push(point);
    bench.append(point);
  }
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nowcast-kept-'));
  const warehouse = createEmbeddedWarehouse({ dir, clock: systemClock });
  await warehouse.run();
  bench = new JoinBench(warehouse, (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 1e15 }));
  for (const daysAgo of [400, 200, 40, 10]) {
    send('mixed', 'quick', daysAgo, 2000);
    send('mixed', 'slow', daysAgo, minuteMs);
    send('quick', 'a', daysAgo, 2000);
    send('middle', 'a', daysAgo, 10_000);
    // A chunk is kept as long as its newest point.
    await bench.flushAll();
  }
  bench.restartHot(0);
  await bench.growOld(nowMs, retention);
  const { index, head, hot } = bench;
  const clock = new ManualClock(nowMs);
  service = new QueryService({ index, head, hot, warm: undefined, warehouse, clock, retention });
}, 600_000);
afterAll(async () => {
  await bench.warehouse.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** Some hours around those points, or whatever the question says. */
async function ask(metric: string, daysAgo: number, question: Partial<QueryInput>) {
  const from = nowMs - daysAgo * dayMs + 11 * hourMs;
  const range = question.window === undefined ? { from, to: from + 5 * hourMs } : {};
  const query = querySchema.parse({ metric_type: metric, agg: 'sum', ...range, ...question });
  const answer = await service.data('t', query);
  const { resolved } = await service.settle('t', query);
  const lines = answer.series.map(({ labels, timestamp, value }) => ({
    labels,
    timestamps: timestamp,
    values: value,
  }));
  const own = points.filter(({ series }) => series.metric_type === metric);
  return { stepMs: answer.step_ms, note: answer.note, wrong: differences(lines, evaluate(own, resolved)) };
}

const byHost = { group_by: ['host'] };

describe('a range of which single points are gone', () => {
  it.each([
    ['sum', 'mixed', 40, hourMs],
    ['p95', 'mixed', 40, hourMs],
    ['sum', 'quick', 200, hourMs],
    ['sum', 'quick', 40, minuteMs],
    ['sum', 'middle', 40, minuteMs],
    ['sum', 'mixed', 10, minuteMs],
  ] as const)(
    'of %s of a %s metric %i days ago has a step that what is kept can answer',
    async (agg, metric, daysAgo, stepMs) => {
      expect(await ask(metric, daysAgo, { ...byHost, agg })).toEqual({ stepMs, note: undefined, wrong: [] });
    },
  );

  it('gets no wider a step than the states of its series need', async () => {
    const from = nowMs - 40 * dayMs + 12 * hourMs;
    const short = { from, to: from + 20 * minuteMs };
    expect(await ask('quick', 40, short)).toEqual({ stepMs: 10_000, note: undefined, wrong: [] });
    expect(await ask('quick', 40, { ...short, agg: 'p95' })).toMatchObject({ stepMs: minuteMs, wrong: [] });
    expect(await ask('middle', 40, short)).toEqual({ stepMs: minuteMs, note: undefined, wrong: [] });
  });

  it('is answered in part at a step that was asked for, and says which one shows all', async () => {
    const { stepMs, note, wrong } = await ask('mixed', 40, { ...byHost, step: '5m' });
    expect(stepMs).toBe(5 * minuteMs);
    expect(note).toBe(
      'complete for the last 30d only: of what is older, some is kept by 1h alone; a step of 1h shows all of it',
    );
    expect(wrong).toEqual([expect.stringContaining('0 lines')]);
    expect(await ask('mixed', 40, { ...byHost, step: '1h' })).toMatchObject({ note: undefined, wrong: [] });
    const finer = await ask('quick', 40, { step: '15s' });
    expect(finer.note).toContain(
      'the last 30d only: of what is older, some is kept by 10s alone; a step of 20s',
    );
    expect(await ask('quick', 40, { step: '20s' })).toMatchObject({ note: undefined, wrong: [] });
    expect((await ask('quick', 200, { step: '5m' })).note).toContain('the last 180d only');
  });

  it('of days that begin at half past an hour is answered by days that do not', async () => {
    const year = { window: '420d', tz: 'Asia/Kolkata' };
    expect(await ask('mixed', 400, { ...byHost, ...year })).toEqual({
      stepMs: 7 * dayMs,
      note: undefined,
      wrong: [],
    });
    const { note } = await ask('mixed', 400, { ...year, step: '1mo' });
    expect(note).toContain('a step of 720h shows all of it');
    expect(await ask('quick', 10, { window: '20d', tz: 'Asia/Kolkata', step: '1d' })).toMatchObject({
      note: undefined,
      wrong: [],
    });
  });
});
