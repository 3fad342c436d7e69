import type { Actor, Can, Delivery, Notification } from '@nowcast/contract';

/** Stands for why a delivery failed, which names addresses of webhooks and what mail servers said. */
export const hiddenReason = 'an administrator sees why';

/** Those who manage channels. */
export function seesReasons(can: Can, actor: Actor): boolean {
  return can(actor, 'alert.manage', { tenant_id: actor.tenant_id });
}

/** As everybody may see it who was told; why nothing was tried is no secret. */
export function withoutReasons(notification: Notification): Notification {
  return { ...notification, deliveries: notification.deliveries.map(withoutReason) };
}

function withoutReason(delivery: Delivery): Delivery {
  const wasTried = delivery.status === 'failed' || delivery.status === 'retrying';
  return wasTried ? { ...delivery, error: hiddenReason } : delivery;
}
