import type { PointsRecord } from '@nowcast/contract';
import type { RecentPoints } from '@nowcast/head';

/** Every point applied, remembered for ever: the simplest thing that answers what dedupe asks. */
export class AppliedMemory implements RecentPoints {
  readonly #newest = new Map<number, number>();
  readonly #points = new Set<string>();
  count = 0;

  apply(handles: Uint32Array, record: PointsRecord): void {
    handles.forEach((handle, row) => {
      const timestamp = record.timestamps[row]!;
      this.#newest.set(handle, Math.max(this.newestOf(handle), timestamp));
      this.#points.add(`${handle} ${timestamp} ${record.values[row]!}`);
    });
    this.count += handles.length;
  }

  newestOf(handle: number): number {
    return this.#newest.get(handle) ?? Number.NEGATIVE_INFINITY;
  }

  has(handle: number, timestamp: number, value: number): boolean {
    return this.#points.has(`${handle} ${timestamp} ${value}`);
  }
}
