import type { DeliveryRow, Destination } from '@nowcast/ports';
import { pushDestination } from './inbox-service.ts';
import type { NotifyOptions } from './notify-options.ts';
import { destinationOf } from './policy-service.ts';

/** Where a delivery goes now, or why it goes nowhere. */
type Address = { destination: Destination } | { skipped: string };

/** Looks the way out up: since it was decided, its address may have changed or gone. */
export async function addressOf(
  { store, outgoing }: Pick<NotifyOptions, 'store' | 'outgoing'>,
  { tenantId, via }: DeliveryRow,
): Promise<Address> {
  if (via.kind === 'channel') {
    const channel = await store.alerting.policies.get(tenantId, 'channel', via.channelId);
    if (channel === undefined) return { skipped: 'the channel was deleted' };
    if (!channel.content.enabled) return { skipped: 'the channel is switched off' };
    return { destination: destinationOf(channel.content) };
  }
  const member = await store.members.get(tenantId, via.userId);
  if (member === undefined || member.disabled) return { skipped: 'no longer a member' };
  if (via.kind === 'push') {
    const device = await store.alerting.people.device(tenantId, via.userId, via.deviceId);
    return device === undefined
      ? { skipped: 'the device was removed' }
      : { destination: pushDestination(device) };
  }
  if (!outgoing.email) return { skipped: 'no mail server is configured' };
  return { destination: { kind: 'email', to: [member.user.email] } };
}
