import { TimeZone } from '@nowcast/aggregate';
import {
  type Actor,
  appError,
  type Delivery,
  type Notification,
  type NotificationPreferences,
  notificationPreferencesSchema,
  type PushDevice,
  type PushSubscriptionInput,
} from '@nowcast/contract';
import { randomId } from '@nowcast/kernel';
import type { Destination, InboxFilter, PushDeviceRow } from '@nowcast/ports';
import type { DirectSend } from './direct-send.ts';
import { seesReasons, withoutReasons } from './failure-reasons.ts';
import { personOf, requireRight } from './rights.ts';
import type { NotifyParts } from './notify-parts.ts';
import { wireDevice } from './wire.ts';

const mostDevices = 20;

/** A person's own: inbox, how they want to be told, and the devices that are. */
export class InboxService {
  readonly #parts: NotifyParts;
  readonly #direct: DirectSend;

  constructor(parts: NotifyParts, direct: DirectSend) {
    this.#parts = parts;
    this.#direct = direct;
  }

  async notifications(
    actor: Actor,
    filter: InboxFilter,
  ): Promise<{ notifications: Notification[]; unread: number; cursor?: string }> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    const { inbox } = this.#store;
    const [{ notifications, cursor }, unread] = await Promise.all([
      inbox.list(tenantId, userId, filter),
      inbox.unread(tenantId, userId),
    ]);
    const shown = seesReasons(this.#parts.options.can, actor)
      ? notifications
      : notifications.map(withoutReasons);
    return { notifications: shown, unread, ...(cursor === undefined ? {} : { cursor }) };
  }

  async markRead(actor: Actor, ids: readonly string[] | 'all'): Promise<{ unread: number }> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    const now = this.#parts.options.clock.now();
    const unread = await this.#store.inbox.markRead(tenantId, userId, ids, now);
    this.#parts.events.emit({ tenantId, userId }, { topic: 'unread', unread });
    return { unread };
  }

  async preferences(actor: Actor): Promise<NotificationPreferences> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    const stored = await this.#store.people.preferences(tenantId, userId);
    return stored ?? notificationPreferencesSchema.parse({});
  }

  async setPreferences(actor: Actor, preferences: NotificationPreferences): Promise<void> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    const quiet = preferences.quiet_hours;
    if (quiet !== undefined) new TimeZone(quiet.tz).offsetAt(0);
    await this.#store.people.setPreferences(tenantId, userId, preferences);
  }

  async devices(actor: Actor): Promise<PushDevice[]> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    return (await this.#store.people.devices(tenantId, userId)).map(wireDevice);
  }

  /** The same subscription again is the same device. */
  async addDevice(actor: Actor, { endpoint, keys, device }: PushSubscriptionInput): Promise<PushDevice> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    const row: PushDeviceRow = {
      deviceId: randomId('device'),
      userId,
      tenantId,
      endpoint,
      ...keys,
      device,
      createdAt: this.#parts.options.clock.now(),
      last: undefined,
    };
    if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:')
      throw appError('request.invalid', 'A push subscription has an https endpoint; subscribe again');
    const problem = this.#parts.options.outgoing.problem?.(pushDestination(row));
    if (problem !== undefined) throw appError('request.invalid', problem);
    const deviceId = await this.#store.people.addDevice(row, mostDevices);
    if (deviceId === false)
      throw appError('request.conflict', `You have ${mostDevices} devices already; remove one`);
    const stored = await this.#store.people.device(tenantId, userId, deviceId);
    return wireDevice(stored ?? { ...row, deviceId });
  }

  async testDevice(actor: Actor, deviceId: string): Promise<Delivery> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    const device = await this.#store.people.device(tenantId, userId, deviceId);
    if (device === undefined) throw noSuchDevice();
    this.#parts.tests.admit(actor, { device_id: deviceId });
    const delivery = await this.#direct.test(tenantId, pushDestination(device), 'push');
    const { at, error } = delivery;
    await this.#store.people.noteDevice(deviceId, { at, ok: delivery.status === 'sent', error });
    return delivery;
  }

  async deleteDevice(actor: Actor, deviceId: string): Promise<void> {
    const { user_id: userId, tenant_id: tenantId } = this.#person(actor);
    if (!(await this.#store.people.deleteDevice(tenantId, userId, deviceId))) throw noSuchDevice();
  }

  get #store() {
    return this.#parts.options.store.alerting;
  }

  #person(actor: Actor) {
    requireRight(this.#parts.options.can, actor, 'profile.manage');
    return personOf(actor);
  }
}

export function pushDestination({ endpoint, p256dh, auth }: PushDeviceRow): Destination {
  return { kind: 'push', endpoint, p256dh, auth };
}

function noSuchDevice() {
  return appError('request.not_found', 'You have no such device');
}
