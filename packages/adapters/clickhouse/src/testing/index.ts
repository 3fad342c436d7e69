import { systemClock } from '@nowcast/kernel';
import type { Warehouse } from '@nowcast/ports';
import { ClickHouseWarehouse } from '../clickhouse-warehouse.ts';
import { ChdbConnection } from '../embedded/chdb-connection.ts';

/** The embedded warehouse for tests of crashes: its process can be killed at any moment. */
export interface KillableWarehouse {
  warehouse: Warehouse;
  /** SIGKILL to the engine's process; resolves once it is gone. It is not started again. */
  kill: () => Promise<void>;
  /** SIGKILL to the engine's process alone, which is then started again, as in the server. */
  killEngine: () => void;
}

export function createKillableWarehouse(dir: string): KillableWarehouse {
  const connection = new ChdbConnection({ dir, clock: systemClock, log: () => undefined });
  const warehouse = new ClickHouseWarehouse(connection);
  const killEngine = () => {
    if (connection.childPid !== undefined) process.kill(connection.childPid, 'SIGKILL');
  };
  return {
    warehouse,
    killEngine,
    async kill() {
      killEngine();
      await warehouse.stop();
    },
  };
}
