import type { NotifyInfo, PushDevice } from '@nowcast/contract';
import { api, ApiError } from '../../api/http.ts';
import { describeAgent } from '../profile/sessions.tsx';

/** Push messages to this browser: what stands in the way, and the subscription the server sends to. */
export type PushState = 'unsupported' | 'insecure' | 'denied' | 'off' | 'on';

/** Under which the server knows this browser: of whoever is signed in now its list says whether it does. */
const storageKey = 'nowcast.push-device';
const thisDevice = (): string | null => localStorage.getItem(storageKey);

/** `devices`: those that the server sends to. A subscription that it does not know of brings nothing. */
export async function readPushState(devices: readonly PushDevice[]): Promise<PushState> {
  if (!isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator) || !('PushManager' in globalThis) || !('Notification' in globalThis))
    return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  const isKnown = devices.some((device) => device.device_id === thisDevice());
  return subscription != null && isKnown && Notification.permission === 'granted' ? 'on' : 'off';
}

/** base64url as `applicationServerKey` wants it. */
export function bytesOfKey(base64url: string): Uint8Array<ArrayBuffer> {
  const base64 = base64url.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}

function sameKey(subscription: PushSubscription, key: Uint8Array): boolean {
  const used = subscription.options.applicationServerKey;
  if (used === null) return false;
  const bytes = new Uint8Array(used);
  return bytes.length === key.length && bytes.every((byte, i) => byte === key[i]);
}

/** Asks for permission, subscribes, tells the server, and has it send a test. Only ever after a press. */
export async function notifyThisDevice(info: NotifyInfo): Promise<PushDevice> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Error('The browser does not allow notifications. Allow them in the settings of this site.');
  // `ready` would wait for ever.
  if ((await navigator.serviceWorker.getRegistration()) === undefined)
    throw new Error(
      'The browser does not run this site’s service worker, which shows them. Reload the page; if it stays so, the certificate of this address is not trusted.',
    );
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = bytesOfKey(info.push_public_key);
  const old = await pushManager.getSubscription();
  // A subscription made for another key of the server cannot be sent to any more.
  if (old !== null && !sameKey(old, key)) await old.unsubscribe();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = subscription.toJSON();
  const device = await api<PushDevice>('POST', '/api/v1/me/push-devices', {
    endpoint,
    keys: { p256dh: keys?.['p256dh'] ?? '', auth: keys?.['auth'] ?? '' },
    device: describeAgent(navigator.userAgent),
  });
  localStorage.setItem(storageKey, device.device_id);
  await api('POST', `/api/v1/me/push-devices/${encodeURIComponent(device.device_id)}/test`);
  return device;
}

/** The server sends this browser no more of them. Only while signed in. */
export async function forgetThisDevice(): Promise<void> {
  const id = thisDevice();
  if (id === null) return;
  await api('DELETE', `/api/v1/me/push-devices/${encodeURIComponent(id)}`).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  });
  localStorage.removeItem(storageKey);
}

/** This browser gets no more of them, whatever the server knows. */
export async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** The server forgets this browser, which then gets no more of them; a server that cannot be reached leaves both as they are. */
export async function silenceThisDevice(): Promise<void> {
  await forgetThisDevice();
  await unsubscribe();
}
