import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import type { Watermark } from '@nowcast/ports';
import type { ChdbConnectionOptions } from './chdb-connection.ts';
import { ChdbConnection } from './chdb-connection.ts';
import { ChdbWarehouse } from './embedded-warehouse.ts';

/**
 * Makes a warehouse in the empty folder `dir` out of the parts of a freeze (`from/table/part/file`, same file system;
 * `from` is used up). The tables are made anew and the parts attached, so nothing depends on how the engine lays its
 * own folder out. Returns the watermarks that the restored manifest knows.
 */
export async function restoreWarehouse(
  options: ChdbConnectionOptions & { from: string; rows: Readonly<Record<string, number>> },
): Promise<Watermark[]> {
  const empty = warehouseOf(options);
  try {
    await empty.run();
    await empty.adopt(options.from, options.rows);
  } finally {
    await empty.stop();
  }
  await rm(options.from, { recursive: true, force: true });
  const restored = warehouseOf(options);
  try {
    await restored.run();
    return await restored.watermarks();
  } catch (cause) {
    throw appError('server.error', `the restored warehouse does not start: ${String(cause)}`, { cause });
  } finally {
    await restored.stop();
  }
}

export function warehouseOf(options: ChdbConnectionOptions): ChdbWarehouse {
  return new ChdbWarehouse(join(options.dir, 'chdb'), new ChdbConnection(options));
}
