import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@nowcast/kernel';
import type { Warehouse } from '@nowcast/ports';
import { warehouseConformance } from '@nowcast/ports/testing';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

warehouseConformance({
  name: 'chDB in a child process',
  async create() {
    const dir = await mkdtemp(join(tmpdir(), 'nowcast-warehouse-'));
    const connections = new Map<Warehouse, ChdbConnection>();
    return {
      async open() {
        const connection = new ChdbConnection({ dir, clock: systemClock, log: () => undefined });
        const warehouse = new ClickHouseWarehouse(connection);
        connections.set(warehouse, connection);
        await warehouse.run();
        return warehouse;
      },
      close: (warehouse) => warehouse.stop(),
      async crash(warehouse) {
        const pid = connections.get(warehouse)!.childPid!;
        process.kill(pid, 'SIGKILL');
        await warehouse.stop();
      },
      dispose: () => rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }),
    };
  },
});
