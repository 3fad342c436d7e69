import type { MaintainRequest } from '@nowcast/ports';
import type { Manifest } from './manifest.ts';
import type { SqlConnection } from './sql-connection.ts';
export class Upkeep {
  constructor(_c: SqlConnection, _m: Manifest) {}
  async removeLeftovers(): Promise<void> {}
  async maintain(_r: MaintainRequest): Promise<boolean> {
    return false;
  }
}
