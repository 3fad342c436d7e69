import type { TenantEvent } from '@nowcast/contract';
import type { Unsubscribe } from '@nowcast/kernel';
import type { AlertRow, MetaStore, NewInboxEntry, PolicyKind } from '@nowcast/ports';
import { withoutReasons } from './failure-reasons.ts';

/** `userId` undefined: everybody in the tenant. */
export interface EventTo {
  tenantId: string;
  userId: string | undefined;
}
export type EventListener = (to: EventTo, event: TenantEvent) => void;

/** Tells open pages what was stored. At most once: a page that comes back reads its lists again. */
export class EventHub {
  readonly #meta: Pick<MetaStore, 'alerting'>;
  readonly #listeners = new Set<EventListener>();

  constructor(meta: Pick<MetaStore, 'alerting'>) {
    this.#meta = meta;
  }

  subscribe(listener: EventListener): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(to: EventTo, event: TenantEvent): void {
    for (const listener of this.#listeners) listener(to, event);
  }

  rule(tenantId: string, ruleId: string): void {
    this.emit({ tenantId, userId: undefined }, { topic: 'rules', rule_id: ruleId });
  }

  policies(tenantId: string, kind: PolicyKind): void {
    this.emit({ tenantId, userId: undefined }, { topic: 'policies', kind });
  }

  alerts(alerts: readonly AlertRow[]): void {
    for (const { tenantId, alertId, ruleId, state, severity } of alerts)
      this.emit(
        { tenantId, userId: undefined },
        { topic: 'alerts', alert_id: alertId, rule_id: ruleId, state, severity },
      );
  }

  /** Deliveries are shown without their reasons: whether a reader may see those is looked at when lists are read. */
  async inbox(entries: readonly NewInboxEntry[]): Promise<void> {
    if (this.#listeners.size === 0) return;
    for (const { tenantId, userId, notificationId } of entries) {
      const notification = await this.#meta.alerting.inbox.get(tenantId, notificationId);
      const unread = await this.#meta.alerting.inbox.unread(tenantId, userId);
      if (notification !== undefined)
        this.emit(
          { tenantId, userId },
          { topic: 'notifications', notification: withoutReasons(notification), unread },
        );
    }
  }
}
