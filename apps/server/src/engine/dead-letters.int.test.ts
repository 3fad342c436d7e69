import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { querySchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineBench } from './testing/engine-bench.ts';
import { flushDeaths } from './testing/mortal.ts';

const nowMs = Date.UTC(2026, 2, 2, 12);
let bench: EngineBench;
/** What the program's defect makes of the records that are written while it is set. */
let damage: ((payload: Uint8Array) => Uint8Array) | undefined;
beforeEach(async () => {
  damage = undefined;
  bench = new EngineBench({
    adapters: {
      openLog: (directory) => {
        const log = new LocalEventLog({ directory, partitions: 1 });
        const append = log.append.bind(log);
        log.append = (entries) =>
          append(
            entries.map(({ partition, payload }) => ({ partition, payload: damage?.(payload) ?? payload })),
          );
        return log;
      },
      openWarehouse: createKillableWarehouse,
      openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
    },
    nowMs,
    engine: { hotPoints: 0, hotMs: 0, hotStates: 0 },
  });
  await bench.start();
});
afterEach(() => bench.destroy());

const cutShort = (payload: Uint8Array): Uint8Array => payload.slice(0, Math.ceil(payload.length * 0.6));

/** One point for each source; every value is another power of two, so that a sum says which points are counted. */
let next = 1;
beforeEach(() => {
  next = 1;
});

async function send(...sources: string[]): Promise<number> {
  let sum = 0;
  const lines = sources.map((source, i) => {
    sum += next;
    const line = `load,source=${source} value=${next} ${nowMs - i * 1000}`;
    next *= 2;
    return line;
  });
  expect((await bench.ingest(lines.join('\n'), { format: 'line-protocol' })).status).toBe(204);
  return sum;
}

async function sum(step: string): Promise<number> {
  const query = querySchema.parse({
    metric_type: 'load',
    agg: 'sum',
    from: nowMs - 60_000,
    to: nowMs + 60_000,
    step,
  });
  const { series } = await bench.core.data('acme', query, new AbortController().signal);
  return series.flatMap(({ value }) => value).reduce<number>((total, value) => total + (value ?? 0), 0);
}

function letters(): Record<string, unknown>[] {
  return bench
    .readFile('dead-letters.ndjson')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function deadLetterCount(): Promise<number | undefined> {
  return (await bench.core.stats()).counters['dead_letters_total'];
}

describe('F14: a record that nobody can read', () => {
  it('is put aside with all that is known of it, and everything around it stays, in this replay and the next ones', async () => {
    let kept = await send('a', 'b');
    damage = cutShort;
    await send('c', 'a', 'd');
    damage = undefined;
    kept += await send('b', 'e');
    await bench.crash();
    expect(letters()).toEqual([
      {
        epoch: expect.any(String) as string,
        partition: 0,
        offset: 1,
        tenant: 'acme',
        reason: expect.stringMatching(/./) as string,
        bytes: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) as string,
      },
    ]);
    expect(bench.warnings.filter((warning) => warning.includes('was put aside'))).toHaveLength(1);
    expect(await deadLetterCount()).toBe(1);
    expect(await sum('1s')).toBe(kept);
    // The series whose definitions were lost are new ones.
    kept += await send('a', 'c', 'd', 'e');
    await bench.crash();
    expect(await sum('1s')).toBe(kept);
    await bench.flush();
    expect(await sum('1s')).toBe(kept);
    expect(await sum('1m')).toBe(kept);
    kept += await send('d');
    await bench.crash();
    expect(await sum('10s')).toBe(kept);
    expect(letters()).toHaveLength(1);
    expect(await deadLetterCount()).toBe(1);
  }, 300_000);

  it('does not take the points with it that a later record has of series it defined: only those are lost', async () => {
    let kept = await send('a');
    damage = cutShort;
    await send('lost');
    damage = undefined;
    await send('lost');
    kept += await send('a', 'new');
    await bench.crash();
    expect(await sum('1s')).toBe(kept);
    await bench.flush();
    await bench.crash();
    expect(await sum('1m')).toBe(kept);
    kept += await send('lost', 'new', 'a');
    await bench.flush();
    await bench.crash();
    expect(await sum('1s')).toBe(kept);
    expect(letters()).toHaveLength(1);
  }, 300_000);

  for (const at of flushDeaths) {
    it(`may be the mark of a flush that died when it was ${at}: its rows are in once, within another flush`, async () => {
      let kept = await send('a', 'b');
      damage = cutShort;
      await bench.crashInFlush({ at, flushesBefore: 0 });
      damage = undefined;
      expect(letters()).toHaveLength(1);
      kept += await send('a', 'c');
      await bench.flush();
      expect([await sum('1s'), await sum('1m')]).toEqual([kept, kept]);
      await bench.crash();
      expect([await sum('1s'), await sum('1m')]).toEqual([kept, kept]);
    }, 300_000);
  }

  it('of a newer version is not passed over: the start is refused, and nothing is put aside', async () => {
    await send('a');
    damage = (payload) => Uint8Array.of(99, ...payload.subarray(1));
    await send('a');
    damage = undefined;
    await expect(bench.crash()).rejects.toMatchObject({
      code: 'log.failed',
      message: expect.stringContaining('newer version') as string,
    });
    expect(letters()).toEqual([]);
  }, 300_000);
});
