import {
  createVapidKeys,
  GuardedHttp,
  NetworkOutgoing,
  type NetworkOutgoingOptions,
  pushSubject,
  type VapidKeys,
} from '@nowcast/adapter-outgoing';
import { appError } from '@nowcast/contract';
import { type Service, systemClock } from '@nowcast/kernel';
import type {
  DeliveryOutcome,
  Destination,
  DestinationCheck,
  MetaStore,
  Outgoing,
  OutgoingDelivery,
} from '@nowcast/ports';

export interface OutgoingSettings {
  /** Undefined: no mail. */
  smtp: NetworkOutgoingOptions['smtp'];
  /** Hosts and networks beyond the public internet that webhooks may reach. */
  allowPrivate: readonly string[];
  /** The same for push services. */
  allowPrivatePush: readonly string[];
  /** Whom push services may write to; undefined: found out. */
  pushContact: string | undefined;
}

export const nothingOutgoing: OutgoingSettings = {
  smtp: undefined,
  allowPrivate: [],
  allowPrivatePush: [],
  pushContact: undefined,
};

const keysSetting = 'push.vapid';

/**
 * The network, with push keys that outlive this process: browsers subscribed with the public one, so they are made at
 * the first start and kept with the users. Starts after the store; whoever sends before is told to come back.
 */
export class StoredOutgoing implements Outgoing, DestinationCheck, Service {
  readonly #store: MetaStore;
  readonly #settings: OutgoingSettings;
  readonly #publicUrl: string | undefined;
  readonly #http: GuardedHttp;
  readonly #pushHttp: GuardedHttp;
  #network: NetworkOutgoing | undefined;

  /** Throws `request.invalid` for settings that cannot be used. */
  constructor(store: MetaStore, settings: OutgoingSettings, publicUrl: string | undefined) {
    this.#store = store;
    this.#settings = settings;
    this.#publicUrl = publicUrl;
    this.#http = new GuardedHttp({ allowPrivate: settings.allowPrivate });
    this.#pushHttp = new GuardedHttp({
      allowPrivate: settings.allowPrivatePush,
      openedBy: '--allow-private-push-services',
    });
  }

  async run(): Promise<void> {
    const keys = await this.#keys();
    const { smtp, pushContact } = this.#settings;
    const subject = pushSubject({
      contact: pushContact,
      mailFrom: smtp?.from.address,
      publicUrl: this.#publicUrl,
    });
    this.#network = new NetworkOutgoing({
      http: this.#http,
      smtp,
      push: { ...keys, subject, http: this.#pushHttp },
      clock: systemClock,
    });
  }

  stop(): Promise<void> {
    this.#network = undefined;
    return Promise.resolve();
  }

  async #keys(): Promise<VapidKeys> {
    const stored = await this.#store.settings.get(keysSetting);
    if (stored !== undefined) return JSON.parse(stored) as VapidKeys;
    const keys = createVapidKeys();
    await this.#store.settings.set(keysSetting, JSON.stringify(keys));
    return keys;
  }

  get #running(): NetworkOutgoing {
    if (this.#network === undefined)
      throw appError('server.unavailable', 'nothing can be sent while the server starts or stops');
    return this.#network;
  }

  async send(delivery: OutgoingDelivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const network = this.#network;
    if (network !== undefined) return network.send(delivery, signal);
    const error = 'the server starts or stops';
    return { ok: false, retryable: true, gone: false, error, retryAfterMs: undefined };
  }

  problem(destination: Destination): string | undefined {
    return this.#running.problem(destination);
  }

  get email(): boolean {
    return this.#settings.smtp !== undefined;
  }

  get pushPublicKey(): string {
    return this.#running.pushPublicKey;
  }
}
