/**
 * Ten questions that people ask of a dashboard, with answers worked out by hand. History and live must both give
 * them: once with every point still in memory, once with every point flushed, forgotten and read from the warehouse.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLiveBus } from '@nowcast/adapter-memory';
import { decodeDeltaBody, decodeSnapshotBody, type QueryInput, querySchema } from '@nowcast/contract';
import type { Engine, ViewFrame } from '@nowcast/ports';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEmbeddedEngine } from './embedded-engine.ts';
import { defaultEngineOptions } from './options.ts';

interface Sent {
  metric_type: string;
  value: number;
  timestamp: string | number;
  labels?: Record<string, string>;
  actor?: string;
}

/** Long enough for a busy machine; what is waited for usually takes milliseconds. */
const patience = { timeout: 60_000, interval: 20 };

type Lines = Record<string, (readonly [time: string, value: number])[]>;

const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

describe.each([
  { where: 'in memory', options: {} },
  { where: 'in the warehouse', options: { flushPoints: 1, hotPoints: 0, hotMs: 0, hotStates: 0 } },
  { where: 'in the hot store', options: { flushPoints: 1, hotPoints: 0, hotMs: 0 } },
])('with every point $where', ({ options }) => {
  let engine: Engine;
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'nowcast-questions-'));
    engine = createEmbeddedEngine(
      { ...defaultEngineOptions, ...options, partitions: 3, dataDir: dir },
      () => undefined,
      (error) => {
        throw error;
      },
      new MemoryLiveBus({
        onListenerError: (error) => {
          throw error;
        },
      }),
    );
    await engine.run();
  });
  afterAll(async () => {
    await engine.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });

  async function send(points: readonly Sent[]): Promise<void> {
    const body = new TextEncoder().encode(points.map((point) => JSON.stringify(point)).join('\n'));
    const answer = await engine.ingest({
      tenant: 't',
      keyId: 'k',
      format: 'ndjson',
      precision: 'ms',
      encoding: 'identity',
      idempotencyKey: undefined,
      body,
    });
    expect(answer).toMatchObject({ status: 200, body: JSON.stringify({ accepted: points.length }) });
    if ('flushPoints' in options) {
      await vi.waitFor(
        async () =>
          expect((await engine.stats()).gauges).toMatchObject({ unflushed_points: 0, tail_points: 0 }),
        patience,
      );
    }
  }

  /** Asks once by `GET /data` and once by opening a live view; both must say the same. */
  async function ask(input: QueryInput): Promise<Lines> {
    const query = querySchema.parse(input);
    const answer = await engine.data('t', query);
    const asked: Lines = {};
    for (const { labels, timestamp, value } of answer.series) {
      asked[Object.values(labels).join(' ')] = timestamp.map((time, i) => [iso(time), value[i]!] as const);
    }
    const { view } = await engine.live.open('t', query);
    const snapshot = decodeSnapshotBody((await engine.live.read(view, undefined)).body);
    engine.live.close(view);
    const seen: Lines = {};
    for (const { labels, timestamps, values } of snapshot.series) {
      seen[Object.values(labels).join(' ')] = Array.from(
        timestamps,
        (time, i) => [iso(time), values[i]!] as const,
      );
    }
    expect(seen).toEqual(asked);
    return asked;
  }

  it('how much memory do ten hosts use together?', async () => {
    const points = Array.from({ length: 10 }, (_, host) =>
      [100, 102].map((base, i) => ({
        metric_type: 'memory',
        value: base + host,
        timestamp: `2026-05-01T10:00:0${i * 4}Z`,
        labels: { host: `h${host}` },
      })),
    );
    await send(points.flat());
    // Each host's average is 101 + its number: 10 · 101 + 45.
    expect(
      await ask({
        metric_type: 'memory',
        agg: 'avg',
        across: 'sum',
        from: '2026-05-01T10:00:00Z',
        to: '2026-05-01T10:00:10Z',
        step: '10s',
      }),
    ).toEqual({
      '': [['2026-05-01T10:00:00Z', 1055]],
    });
  });

  it('how many requests came, from a counter that was reset?', async () => {
    const values = [100, 160, 5, 65];
    await send(
      values.map((value, i) => ({
        metric_type: 'requests_total',
        value,
        timestamp: `2026-05-01T10:00:${i}0Z`,
      })),
    );
    expect(
      await ask({
        metric_type: 'requests_total',
        agg: 'increase',
        from: '2026-05-01T10:00:00Z',
        to: '2026-05-01T10:00:40Z',
        step: '10s',
      }),
    ).toEqual({
      '': [
        ['2026-05-01T10:00:00Z', 0],
        ['2026-05-01T10:00:10Z', 60],
        ['2026-05-01T10:00:20Z', 5],
        ['2026-05-01T10:00:30Z', 60],
      ],
    });
    // The same range, entered later: the step from the point before it counts.
    expect(
      await ask({
        metric_type: 'requests_total',
        agg: 'increase',
        from: '2026-05-01T10:00:10Z',
        to: '2026-05-01T10:00:40Z',
        step: '30s',
      }),
    ).toEqual({
      '': [
        ['2026-05-01T10:00:00Z', 65],
        ['2026-05-01T10:00:30Z', 60],
      ],
    });
  });

  it('what was sold on each local day, when the clocks change?', async () => {
    const sales = [
      ['2026-03-28T22:30:00Z', 1],
      ['2026-03-28T23:30:00Z', 2],
      ['2026-03-29T21:30:00Z', 4],
      ['2026-03-29T22:30:00Z', 8],
    ] as const;
    await send(sales.map(([timestamp, value]) => ({ metric_type: 'sales', value, timestamp })));
    // In Berlin the 29th has 23 hours: it begins at 23:00Z and ends at 22:00Z.
    expect(
      await ask({
        metric_type: 'sales',
        agg: 'sum',
        from: '2026-03-28T00:00:00Z',
        to: '2026-03-30T12:00:00Z',
        step: '1d',
        tz: 'Europe/Berlin',
      }),
    ).toEqual({
      '': [
        ['2026-03-27T23:00:00Z', 1],
        ['2026-03-28T23:00:00Z', 6],
        ['2026-03-29T22:00:00Z', 8],
      ],
    });
  });

  it('what is the 99th percentile of latency over all regions?', async () => {
    await send(
      Array.from({ length: 1000 }, (_, i) => ({
        metric_type: 'latency',
        value: i + 1,
        timestamp: '2026-05-01T10:00:30Z',
        labels: { region: ['eu', 'us', 'ap'][i % 3]! },
      })),
    );
    const lines = await ask({
      metric_type: 'latency',
      agg: 'p99',
      from: '2026-05-01T10:00:00Z',
      to: '2026-05-01T10:01:00Z',
      step: '1m',
    });
    // 990, to the sketch's stated one per cent.
    expect(lines['']?.[0]?.[1]).toBeGreaterThan(990 * 0.99);
    expect(lines['']?.[0]?.[1]).toBeLessThan(990 * 1.011);
  });

  it('how many different users came this week?', async () => {
    const visits = [
      ['anna', '04'],
      ['ben', '04'],
      ['anna', '05'],
      ['chris', '06'],
      ['dora', '07'],
      ['ben', '09'],
      ['emil', '10'],
      ['anna', '12'],
    ] as const;
    await send(
      visits.map(([actor, day]) => ({
        metric_type: 'page_view',
        value: 1,
        timestamp: `2026-05-${day}T12:00:00Z`,
        actor,
      })),
    );
    const lines = await ask({
      metric_type: 'page_view',
      agg: 'uniques',
      from: '2026-05-04T00:00:00Z',
      to: '2026-05-18T00:00:00Z',
      step: '1w',
    });
    expect(lines['']?.map(([time, value]) => [time, Math.round(value)])).toEqual([
      ['2026-05-04T00:00:00Z', 5],
      ['2026-05-11T00:00:00Z', 1],
    ]);
  });

  it('what part of the requests fail?', async () => {
    const statuses = ['200', '200', '200', '404', '500', '200', '503', '200'];
    await send(
      statuses.map((status, i) => ({
        metric_type: 'http',
        value: 1,
        timestamp: `2026-05-01T10:00:0${i}Z`,
        labels: { status },
      })),
    );
    const range = { from: '2026-05-01T10:00:00Z', to: '2026-05-01T10:01:00Z', step: '1m' };
    const failed = await ask({
      metric_type: 'http',
      agg: 'sum',
      where: { status: { regex: '5..' } },
      ...range,
    });
    const all = await ask({ metric_type: 'http', agg: 'sum', ...range });
    expect(failed['']![0]![1] / all['']![0]![1]).toBe(0.25);
  });

  it('which five pages are read most, and how much is the rest?', async () => {
    const reads = { '/': 9, '/a': 7, '/b': 6, '/c': 5, '/d': 4, '/e': 2, '/f': 1 };
    await send(
      Object.entries(reads).map(([page, value]) => ({
        metric_type: 'reads',
        value,
        timestamp: '2026-05-01T10:00:00Z',
        labels: { page },
      })),
    );
    const lines = await ask({
      metric_type: 'reads',
      agg: 'sum',
      group_by: ['page'],
      limit: 5,
      from: '2026-05-01T10:00:00Z',
      to: '2026-05-01T10:01:00Z',
      step: '1m',
    });
    expect(Object.entries(lines).map(([page, [cell]]) => [page, cell![1]])).toEqual([
      ['/', 9],
      ['/a', 7],
      ['/b', 6],
      ['/c', 5],
      ['/d', 4],
      ['Other', 3],
    ]);
  });

  it('a host that starts late has no values before, and does not drag the others down', async () => {
    await send([
      ...[0, 10, 20, 30].map((s) => ({
        metric_type: 'load',
        value: 4,
        timestamp: `2026-05-01T10:00:${String(s).padStart(2, '0')}Z`,
        labels: { host: 'old' },
      })),
      ...[20, 30].map((s) => ({
        metric_type: 'load',
        value: 2,
        timestamp: `2026-05-01T10:00:${s}Z`,
        labels: { host: 'new' },
      })),
    ]);
    const range = { from: '2026-05-01T10:00:00Z', to: '2026-05-01T10:00:40Z', step: '10s' };
    const byHost = await ask({ metric_type: 'load', agg: 'avg', group_by: ['host'], ...range });
    expect(byHost['new']).toEqual([
      ['2026-05-01T10:00:20Z', 2],
      ['2026-05-01T10:00:30Z', 2],
    ]);
    expect((await ask({ metric_type: 'load', agg: 'avg', ...range }))['']?.map(([, value]) => value)).toEqual(
      [4, 4, 3, 3],
    );
  });

  it('a gap is a gap: no value is made up', async () => {
    await send(
      [0, 10, 40].map((s) => ({
        metric_type: 'pulse',
        value: 1,
        timestamp: `2026-05-01T10:00:${String(s).padStart(2, '0')}Z`,
      })),
    );
    const lines = await ask({
      metric_type: 'pulse',
      agg: 'avg',
      from: '2026-05-01T10:00:00Z',
      to: '2026-05-01T10:01:00Z',
      step: '10s',
    });
    expect(lines['']?.map(([time]) => time)).toEqual([
      '2026-05-01T10:00:00Z',
      '2026-05-01T10:00:10Z',
      '2026-05-01T10:00:40Z',
    ]);
  });

  it('a correction that comes an hour late lands in its own bucket, also on an open chart', async () => {
    const query = {
      metric_type: 'revenue',
      agg: 'sum' as const,
      from: '2026-05-01T09:00:00Z',
      to: '2026-05-01T12:00:00Z',
      step: '1h',
    };
    await send([
      { metric_type: 'revenue', value: 10, timestamp: '2026-05-01T09:30:00Z' },
      { metric_type: 'revenue', value: 5, timestamp: '2026-05-01T10:30:00Z' },
    ]);
    const { view } = await engine.live.open('t', querySchema.parse(query));
    const frames: ViewFrame[] = [];
    const stop = engine.live.onFrames((list) =>
      frames.push(
        ...list
          .filter((frame) => frame.view === view)
          .map((frame) => ({ ...frame, body: frame.body.slice() })),
      ),
    );
    await send([{ metric_type: 'revenue', value: -3, timestamp: '2026-05-01T09:30:00Z' }]);
    await vi.waitFor(() => expect(frames).toHaveLength(1), patience);
    stop();
    const delta = decodeDeltaBody(frames[0]!.body);
    expect([delta.count, iso(delta.buckets[0]!), delta.values[0]]).toEqual([1, '2026-05-01T09:00:00Z', 7]);
    expect(await ask(query)).toEqual({
      '': [
        ['2026-05-01T09:00:00Z', 7],
        ['2026-05-01T10:00:00Z', 5],
      ],
    });
  });
});
