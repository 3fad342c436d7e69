import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@nowcast/kernel';
import { Bench, at, dayMs, monday, nothing } from '@nowcast/ports/testing';
import { expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

const weekMs = 7 * dayMs;

/** Does `first` before the first statement that drops a partition of fine states. */
class Hooked extends ChdbConnection {
  first: (() => Promise<void>) | undefined;

  override async command(...args: Parameters<ChdbConnection['command']>): Promise<void> {
    if (/TABLE states DROP PARTITION/.test(args[0])) {
      const { first } = this;
      this.first = undefined;
      await first?.();
    }
    return super.command(...args);
  }
}

test('a flush of late points while retention drops their week counts all of them', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'nowcast-retention-'));
  const connection = new Hooked({ dir, clock: systemClock, log: () => undefined });
  const warehouse = new ClickHouseWarehouse(connection);
  await warehouse.run();
  try {
    const bench = new Bench(() => warehouse, 'late');
    const old = monday - 8 * weekMs;
    const sum = async () => {
      const range = { from: old, to: monday + dayMs, step: monday + dayMs - old };
      return [...(await bench.readStates(range, [0], { parts: { ...nothing, scalar: true } })).sum];
    };
    await bench.store([at(0, old, 1), at(0, old + 1, 1), at(0, old + 2, 1)]);
    await bench.store([at(0, monday, 2)]);
    let late: Promise<void> | undefined;
    connection.first = async () => {
      late = bench.store([at(0, old + 3, 10), at(0, old + 4, 10), at(0, old + 5, 10)]);
      // Long enough for it to be stored, were it not kept waiting.
      await Promise.race([late, delay(1000)]);
    };
    const retention = new Map([['', { rawMs: 400 * weekMs, fineMs: 3 * weekMs, coarseMs: 400 * weekMs }]]);
    await bench.maintain(monday + 6 * dayMs, { retention });
    expect(late).toBeDefined();
    await late;
    expect(await sum()).toEqual([35]);
    // What came late is derived anew, and what it was derived from is dropped then.
    await bench.maintain(monday + 6 * dayMs + 2 * 3_600_000, { retention });
    expect(await sum()).toEqual([35]);
  } finally {
    await warehouse.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
});
