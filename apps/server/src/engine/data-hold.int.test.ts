import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { systemClock } from '@nowcast/kernel';
import { expect, test } from 'vitest';
import { DataHold } from './data-hold.ts';

test('data that is being let go of is given out again only after that, whole', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nowcast-hold-'));
  const log = new LocalEventLog({ directory: join(dataDir, 'log'), partitions: 1 });
  const warehouse = createEmbeddedWarehouse({ dir: join(dataDir, 'warehouse'), clock: systemClock });
  await log.run();
  await warehouse.run();
  try {
    const slow = {
      freeze: () => warehouse.freeze(),
      // As with the links of many parts.
      thaw: () => delay(100).then(() => warehouse.thaw()),
    };
    const hold = new DataHold(log, slow, dataDir);
    await hold.take();
    for (let round = 0; round < 3; round++) {
      const released = hold.release();
      // As the next backup does when the one before it was killed; and one that finds it taken.
      const [next, refused] = await Promise.allSettled([hold.take(), hold.take()]);
      await released;
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'request.conflict' } });
      const { files } = (next as PromiseFulfilledResult<Awaited<ReturnType<DataHold['take']>>>).value;
      expect(files.some(({ name }) => name.startsWith('warehouse/manifest/'))).toBe(true);
      for (const { path, size } of files) expect((await stat(path)).size).toBeGreaterThanOrEqual(size);
    }
    await hold.release();
  } finally {
    await warehouse.stop();
    await log.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
});
