import type { Clock } from '@nowcast/kernel';
import type { EmbeddedWarehouse } from './embedded/embedded-warehouse.ts';
import { warehouseOf } from './embedded/restore-warehouse.ts';

export type { EmbeddedWarehouse, FrozenFile, FrozenTables } from './embedded/embedded-warehouse.ts';
export { restoreWarehouse } from './embedded/restore-warehouse.ts';

export interface EmbeddedWarehouseOptions {
  /** Directory of the warehouse alone; made when missing. One process at a time. */
  dir: string;
  clock: Clock;
  log?: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

/** The warehouse on chDB, in a child process of this one (docs/decisions/0003-chdb-in-a-child-process.md). */
export function createEmbeddedWarehouse(options: EmbeddedWarehouseOptions): EmbeddedWarehouse {
  return warehouseOf({ log: () => undefined, ...options });
}
