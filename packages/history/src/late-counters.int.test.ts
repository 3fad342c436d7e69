import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { differences, evaluate, type ReferencePoint } from '@nowcast/aggregate/testing';
import { appError, type QueryInput, querySchema } from '@nowcast/contract';
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
const days = [45, 44, 43, 3, 2, 1];

let dir: string;
let bench: JoinBench;
let service: QueryService;
const points: ReferencePoint[] = [];

function send(metric: string, host: string, timestamp: number, value: number): void {
  const labels = [['host', host] as [string, string]];
  const point = { series: { tenant: 't', metric_type: metric, source: 'a', labels }, timestamp, value };
  points.push(point);
  bench.append(point);
}

const noonOf = (daysAgo: number) => nowMs - daysAgo * dayMs + 12 * hourMs;

/** Three hours of counters; of `a` one point comes after the flush, in between, on days that say so. */
async function sendDay(daysAgo: number, isLate: boolean): Promise<void> {
  const noon = noonOf(daysAgo);
  const late: [string, string, number, number][] = [];
  for (let i = 0; i < 18; i++) {
    for (const host of ['a', 'b']) {
      const at = noon + i * 10 * minuteMs;
      const value = (50 - daysAgo) * 1000 + i * 7 + (host === 'a' ? 3 : 0);
      // One counter begins anew in every fourth point, and so does what is lost of it.
      const again = ['again', host, at, value * (i % 4)] as [string, string, number, number];
      const steady = ['steady', host, at, value] as [string, string, number, number];
      for (const one of [again, steady]) {
        if (isLate && host === 'a' && i === 8) late.push(one);
        else send(...one);
      }
    }
  }
  await bench.flushAll();
  if (late.length === 0) return;
  for (const one of late) send(...one);
  await bench.flushAll();
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nowcast-late-'));
  const warehouse = createEmbeddedWarehouse({ dir, clock: systemClock });
  await warehouse.run();
  bench = new JoinBench(warehouse, (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 1e15 }));
  for (const daysAgo of days) await sendDay(daysAgo, daysAgo === 44 || daysAgo === 2);
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

async function ask(question: Partial<QueryInput>, asked = service) {
  const input = { metric_type: 'steady', agg: 'increase', across: 'sum', ...question };
  const query = querySchema.parse(input);
  const answer = await asked.data('t', query);
  const { resolved } = await service.settle('t', query);
  const lines = answer.series.map(({ labels, timestamp, value }) => ({
    labels,
    timestamps: timestamp,
    values: value,
  }));
  const own = points.filter(({ series }) => series.metric_type === query.metric_type);
  return { note: answer.note, wrong: differences(lines, evaluate(own, resolved)) };
}

const approximated = expect.stringMatching(/^some counters had late points more than 30d ago: /);

describe('a counter with a late point', () => {
  it.each(['1d', '6h', '1h'])('keeps its history by %s when its points are gone', async (step) => {
    const range = { from: nowMs - 46 * dayMs, to: nowMs };
    expect(await ask({ ...range, step })).toEqual({ note: approximated, wrong: [] });
    expect(await ask({ ...range, step, group_by: ['host'] })).toEqual({ note: approximated, wrong: [] });
  });

  it('is exact while its points are kept', async () => {
    for (const step of ['1d', '1h', '30m', '7m'])
      for (const metric_type of ['steady', 'again'])
        expect(await ask({ metric_type, from: nowMs - 4 * dayMs, to: nowMs, step })).toEqual({
          note: undefined,
          wrong: [],
        });
  });

  it('that has more points around late ones than can be read is told by the hour there, and says so', async () => {
    const { index, head, hot, warehouse } = bench;
    const crowded = new Proxy(warehouse, {
      get(target, name) {
        if (name === 'readPoints')
          return () => Promise.reject(appError('query.too_large', 'there are more than ten million points'));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const clock = new ManualClock(nowMs);
    const parts = { index, head, hot, warm: undefined, warehouse: crowded, clock, retention };
    const range = { from: nowMs - 4 * dayMs, to: nowMs, step: '1d' };
    expect(await ask(range, new QueryService(parts))).toEqual({
      note: expect.stringMatching(
        /^some counters had late points in more hours than can be read: /,
      ) as string,
      wrong: [],
    });
  });

  it('loses only what began anew in the hour of it, and says so', async () => {
    const { note, wrong } = await ask({ metric_type: 'again', window: '46d', step: '1d' });
    expect(note).toEqual(approximated);
    expect(wrong).toEqual([expect.stringContaining(`@${nowMs - 44 * dayMs}:`)]);
  });

  it('that is in memory still, of an hour whose points are gone, is left out alone', async () => {
    send('steady', 'b', noonOf(43) + 65 * minuteMs, 7 * 1000 + 6 * 7 + 3);
    send('steady', 'b', noonOf(3) + 65 * minuteMs, 47 * 1000 + 6 * 7 + 3);
    for (const step of ['1d', '1h'])
      expect(await ask({ window: '46d', step })).toEqual({ note: approximated, wrong: [] });
  });
});
