import type { BusyDeliveries, DeliveryRow } from '@nowcast/ports';

const mostAtOnce = 64;
const mostOfTenant = 8;
const mostOfWay = 2;

/**
 * Which delivery is made next. A way out that hangs holds two places at most, and all ways of a tenant together a few:
 * whatever is broken somewhere, others still get through. Rows that were read and have no place yet are kept, so that a
 * long backlog is not read again for each of its messages.
 */
export class DeliveryQueue {
  /** Rows that wait, by way, the longest due first; no way without any. */
  readonly #waiting = new Map<string, DeliveryRow[]>();
  /** First row of each delivery under way: a digest holds one place. */
  readonly #places = new Set<DeliveryRow>();
  /** Ids that wait or are under way. */
  readonly #known = new Set<string>();
  /** Ids that ended while the store was read: it may not know that yet. */
  readonly #ended = new Set<string>();

  /** Ways and tenants of which enough is known for now. */
  get busy(): BusyDeliveries {
    const byTenant = Map.groupBy(this.#places, ({ tenantId }) => tenantId);
    return {
      ways: [...this.#waiting.values()].flatMap((rows) => rows[0]?.via ?? []),
      tenants: [...byTenant].flatMap(([tenantId, held]) => (held.length < mostOfTenant ? [] : [tenantId])),
    };
  }

  /** Ids that wait or are under way: what a read may give again. */
  get size(): number {
    return this.#known.size;
  }

  beginRead(): void {
    this.#ended.clear();
  }

  /** What was read since `beginRead`. */
  add(rows: readonly DeliveryRow[]): void {
    for (const row of rows) {
      if (this.#known.has(row.deliveryId) || this.#ended.has(row.deliveryId)) continue;
      this.#known.add(row.deliveryId);
      const way = wayOf(row);
      const waiting = this.#waiting.get(way);
      if (waiting === undefined) this.#waiting.set(way, [row]);
      else waiting.push(row);
    }
  }

  /**
   * What is made next, all rows known of a digest at once; undefined when nothing has a place. Ways that are idle come first.
   * `ranOut`: the store may have more of this way.
   */
  take(): { digest: DeliveryRow[]; ranOut: boolean } | undefined {
    if (this.#places.size >= mostAtOnce) return undefined;
    const held = Map.groupBy(this.#places, wayOf);
    const ofTenant = Map.groupBy(this.#places, ({ tenantId }) => tenantId);
    for (let most = 1; most <= mostOfWay; most += 1)
      for (const [way, rows] of this.#waiting) {
        const [first] = rows;
        if (first === undefined || (held.get(way)?.length ?? 0) >= most) continue;
        if ((ofTenant.get(first.tenantId)?.length ?? 0) >= mostOfTenant) continue;
        return this.#takeOf(way, first, rows);
      }
    return undefined;
  }

  /** The digest with what else was read of it since `beginRead`: it goes along. */
  join(digest: readonly DeliveryRow[], rows: readonly DeliveryRow[]): DeliveryRow[] {
    const others = rows.filter(({ deliveryId: id }) => !this.#known.has(id) && !this.#ended.has(id));
    for (const { deliveryId } of others) this.#known.add(deliveryId);
    return [...digest, ...others];
  }

  /** Its place is free, and its rows may be read again. */
  done(digest: readonly DeliveryRow[]): void {
    for (const row of digest) {
      this.#places.delete(row);
      this.#known.delete(row.deliveryId);
      this.#ended.add(row.deliveryId);
    }
  }

  #takeOf(way: string, first: DeliveryRow, rows: readonly DeliveryRow[]) {
    const isAlong = (row: DeliveryRow): boolean =>
      row === first || (first.digestKey !== undefined && row.digestKey === first.digestKey);
    const left = rows.filter((row) => !isAlong(row));
    // A way that was served goes to the end of the line.
    this.#waiting.delete(way);
    if (left.length > 0) this.#waiting.set(way, left);
    this.#places.add(first);
    return { digest: rows.filter(isAlong), ranOut: left.length === 0 };
  }
}

/** A channel is the same way when it has another name by now. */
function wayOf({ via }: DeliveryRow): string {
  return via.kind === 'channel' ? `channel ${via.channelId}` : JSON.stringify(via);
}
