import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@nowcast/kernel';
import { at, Bench, forEver, hourMs, monday } from '@nowcast/ports/testing';
import { expect, test } from 'vitest';
import { ChdbConnection } from './chdb-connection.ts';
import { ChdbWarehouse } from './embedded-warehouse.ts';

/** Statements of the upkeep's lane wait for `opened`; `begun` resolves at the first. */
class SlowUpkeep extends ChdbConnection {
  readonly begun = Promise.withResolvers<void>();
  readonly opened = Promise.withResolvers<void>();

  override async command(...args: Parameters<ChdbConnection['command']>): Promise<void> {
    if (args[2].lane === 'upkeep') {
      this.begun.resolve();
      await this.opened.promise;
    }
    return super.command(...args);
  }
}

test('while a freeze waits for a long piece of upkeep, flushes do not wait', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'nowcast-freeze-'));
  const connection = new SlowUpkeep({ dir, clock: systemClock, log: () => undefined });
  const warehouse = new ChdbWarehouse(join(dir, 'chdb'), connection);
  await warehouse.run();
  try {
    const b = new Bench(() => warehouse, 'load');
    await b.store([at(0, monday, 1)]);
    const request = { at: b.at, now: monday + 2 * hourMs, lateMs: 60_000, retention: forEver };
    const events: string[] = [];
    const upkeep = warehouse.maintain(request).then(() => events.push('upkeep'));
    await connection.begun.promise;
    const frozen = warehouse.freeze();
    const done = frozen.then(() => events.push('frozen'));
    await b.store([at(0, monday + hourMs, 2)]);
    expect(events).toEqual([]);
    connection.opened.resolve();
    await Promise.all([upkeep, done]);
    expect(events).toEqual(['upkeep', 'frozen']);
    const { rows, watermarks } = await frozen;
    expect(rows).toMatchObject({ chunks: 2, states: 2, states_coarse: 1 });
    expect(watermarks).toEqual(await warehouse.watermarks());
    await b.store([at(0, monday + hourMs, 3)]);
  } finally {
    await warehouse.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
});
