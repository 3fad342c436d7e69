import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLiveBus } from '@nowcast/adapter-memory';
import { decodeDeltaBody, decodeSnapshotBody, querySchema, type QueryInput } from '@nowcast/contract';
import type { Engine, IngestRequest, ViewFrame } from '@nowcast/ports';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEmbeddedEngine } from './embedded-engine.ts';
import { defaultEngineOptions, type EngineOptions } from './options.ts';

const open: { engine: Engine; dir: string }[] = [];
afterEach(async () => {
  for (const { engine, dir } of open.splice(0)) {
    await engine.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
});

async function start(
  options: Partial<EngineOptions> = {},
  dir = mkdtempSync(join(tmpdir(), 'nowcast-engine-')),
) {
  const fatal = vi.fn();
  const engine = createEmbeddedEngine(
    { ...defaultEngineOptions, partitions: 3, ...options, dataDir: dir },
    () => undefined,
    fatal,
    new MemoryLiveBus({
      onListenerError: (error) => {
        throw error;
      },
    }),
  );
  await engine.run();
  const entry = { engine, dir };
  open.push(entry);
  return {
    engine,
    dir,
    fatal,
    restart: async () => {
      await engine.stop();
      open.splice(open.indexOf(entry), 1);
      return start(options, dir);
    },
  };
}

function lines(text: string, extra: Partial<IngestRequest> = {}): IngestRequest {
  return {
    tenant: 'acme',
    keyId: 'k1',
    format: 'line-protocol',
    precision: 'ms',
    encoding: 'identity',
    idempotencyKey: undefined,
    body: new TextEncoder().encode(text),
    ...extra,
  };
}

const query = (input: QueryInput) => querySchema.parse(input);
const now = Date.now();
/** Ten seconds into a bucket of ten minutes: what comes a little before or after is in the same bucket. */
const inBucket = Math.floor(now / 600_000) * 600_000 + 10_000;

describe('the embedded engine', () => {
  it('answers a point as soon as it is acknowledged, for old and new series', async () => {
    const { engine } = await start();
    expect((await engine.ingest(lines(`temp,room=a value=21.5 ${now}`))).status).toBe(204);
    const answer = await engine.data(
      'acme',
      query({ metric_type: 'temp', agg: 'last', window: '1m', step: '1s', group_by: ['room'] }),
    );
    expect(answer.series).toMatchObject([{ labels: { room: 'a' }, value: [21.5] }]);
    expect(
      (await engine.ingest(lines(`temp,room=b value=19 ${now}\ntemp,room=a value=22 ${now + 1}`))).status,
    ).toBe(204);
    const both = await engine.data(
      'acme',
      query({ metric_type: 'temp', agg: 'sum', window: '1m', step: '1m' }),
    );
    expect(both.series[0]?.value.reduce((sum, value) => sum! + value!, 0)).toBe(62.5);
    expect((await engine.data('other', query({ metric_type: 'temp', window: '1m' }))).series).toEqual([]);
  });

  it('refuses a call that cannot reach its thread, and serves the others that were made with it', async () => {
    const { engine, fatal } = await start();
    // Once the address of a request could name a function of this kind, and the whole server went down.
    const broken = lines(`temp value=1 ${now}`, { precision: Object as never });
    const [refused, taken] = await Promise.allSettled([
      engine.ingest(broken),
      engine.ingest(lines(`temp value=2 ${now}`)),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { name: 'DataCloneError' } });
    expect(taken).toMatchObject({ status: 'fulfilled', value: { status: 204 } });
    expect(fatal).not.toHaveBeenCalled();
  });

  it('pushes a delta to an open view and never shows a point twice', async () => {
    const { engine } = await start();
    await engine.ingest(lines(`sales value=1 ${inBucket}`));
    const frames: ViewFrame[] = [];
    engine.live.onFrames((list) =>
      frames.push(...list.map((frame) => ({ ...frame, body: frame.body.slice() }))),
    );
    const view = await engine.live.open(
      'acme',
      query({ metric_type: 'sales', agg: 'sum', window: '5m', step: '10m' }),
    );
    const snapshot = decodeSnapshotBody((await engine.live.read(view.view, undefined)).body);
    expect(snapshot.series[0]?.values.at(-1)).toBe(1);
    await engine.ingest(lines(`sales value=2 ${inBucket + 1}`));
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { timeout: 60_000 });
    const delta = decodeDeltaBody(frames.at(-1)!.body);
    expect(delta.values[delta.count - 1]).toBe(3);
    const resumed = await engine.live.read(view.view, { epoch: view.epoch, seq: snapshot.seq });
    expect(resumed.kind).toBe('delta');
    expect(decodeDeltaBody(resumed.body).values[0]).toBe(3);
  });

  it('keeps points, series and dedupe across a restart, flushed or not', async () => {
    const first = await start({ flushPoints: 4 });
    const body = Array.from(
      { length: 10 },
      (_, i) => `cpu,core=${i % 2} usage=${i} ${inBucket - i * 1000}`,
    ).join('\n');
    expect((await first.engine.ingest(lines(body))).status).toBe(204);
    expect(
      (await first.engine.ingest(lines(`cpu,core=7 usage=100 ${inBucket}`, { idempotencyKey: 'once' })))
        .status,
    ).toBe(204);
    const ask = query({ metric_type: 'cpu_usage', agg: 'sum', window: '5m', step: '10m' });
    const total = async (engine: Engine) => {
      const { series } = await engine.data('acme', ask);
      return series.flatMap(({ value }) => value).reduce((sum, value) => sum! + value!, 0);
    };
    expect(await total(first.engine)).toBe(145);
    await vi.waitFor(
      async () => expect((await first.engine.stats()).counters['flushes_total']).toBeGreaterThan(0),
      { timeout: 60_000 },
    );
    const second = await first.restart();
    expect(await total(second.engine)).toBe(145);
    expect((await second.engine.ingest(lines(body))).status).toBe(204);
    expect(
      (await second.engine.ingest(lines(`cpu,core=7 usage=100 ${inBucket}`, { idempotencyKey: 'once' })))
        .status,
    ).toBe(204);
    expect(await total(second.engine)).toBe(145);
    // What was sent before the restart is still counted, and the retries of this start, stored before, are not.
    expect(await second.engine.sourceStatus('acme', 'k1')).toMatchObject({
      accepted: 11,
      metrics: ['cpu_usage'],
    });
    expect(
      (await second.engine.metrics('acme', 'cpu', 10)).map(({ metric_type, series }) => [
        metric_type,
        series,
      ]),
    ).toEqual([['cpu_usage', 3]]);
  });
});
