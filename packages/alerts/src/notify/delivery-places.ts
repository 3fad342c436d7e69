import type { BusyDeliveries, DeliveryRow } from '@nowcast/ports';

const mostAtOnce = 64;
const mostOfTenant = 8;

/**
 * The places in which deliveries are made. A way out that hangs holds two of them at most, and all ways of a tenant
 * together a few: whatever is broken somewhere, others still get through.
 */
export class DeliveryPlaces {
  readonly #held = new Map<string, DeliveryRow>();

  get isFull(): boolean {
    return this.#held.size >= mostAtOnce;
  }

  /** Ways that hold so many places already, and tenants that hold all of theirs. */
  busy(mostOfWay: number): BusyDeliveries {
    const held = [...this.#held.values()];
    const full = (key: (row: DeliveryRow) => string, most: number) =>
      [...Map.groupBy(held, key).values()].filter((rows) => rows.length >= most).map((rows) => rows[0]!);
    return {
      ways: full(wayOf, mostOfWay).map(({ via }) => via),
      tenants: full(({ tenantId }) => tenantId, mostOfTenant).map(({ tenantId }) => tenantId),
    };
  }

  hasFor(row: DeliveryRow, mostOfWay: number): boolean {
    const held = [...this.#held.values()];
    return (
      !this.isFull &&
      held.filter((other) => wayOf(other) === wayOf(row)).length < mostOfWay &&
      held.filter(({ tenantId }) => tenantId === row.tenantId).length < mostOfTenant
    );
  }

  take(row: DeliveryRow): void {
    this.#held.set(row.deliveryId, row);
  }

  give(row: DeliveryRow): void {
    this.#held.delete(row.deliveryId);
  }
}

/** A channel is the same way when it has another name by now. */
function wayOf({ via }: DeliveryRow): string {
  return via.kind === 'channel' ? `channel ${via.channelId}` : JSON.stringify(via);
}
