import type { Clock } from '@nowcast/kernel';
import type { Warehouse } from '@nowcast/ports';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';

export interface EmbeddedWarehouseOptions {
  /** Directory of the warehouse alone; made when missing. One process at a time. */
  dir: string;
  clock: Clock;
  log?: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

/** The warehouse on chDB, in a child process of this one (docs/decisions/0003-chdb-in-a-child-process.md). */
export function createEmbeddedWarehouse(options: EmbeddedWarehouseOptions): Warehouse {
  const { dir, clock, log = () => undefined } = options;
  return new ClickHouseWarehouse(new ChdbConnection({ dir, clock, log }));
}
