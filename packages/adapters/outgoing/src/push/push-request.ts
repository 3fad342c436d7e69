import { createHash } from 'node:crypto';
import type { AlertMessage, Destination, OutgoingDelivery } from '@nowcast/ports';
import { parseUrl } from '../guarded-http.ts';
import { headline, shortened } from '../message-text.ts';
import { encryptPush } from './encrypt-push.ts';
import type { Vapid } from './vapid.ts';

/**
 * A message for a browser's push service. What the service worker gets, as JSON in `event.data`:
 *
 *   notification_id  of the inbox; acknowledging and reading refer to it
 *   tag              the same for all messages of one alert: a later one replaces an earlier one on the device
 *   title, body      what is shown; the body is cut when the whole would be over 3 KB
 *   severity         info, warning, critical
 *   kind             as in AlertMessage: firing, resolved, acknowledged, escalated, repeated, flapping, rule_problem,
 *                    delivery_problem, test, digest
 *   url              what opens on a click
 *   alert_id         of the first alert; null when it is about none
 *   at               epoch ms
 *   actions          buttons to offer: "acknowledge" and "snooze" while it fires, else none
 *
 * A push service holds a message for a device that is away; `Topic` is made from the delivery's key, so that a retry
 * replaces its earlier attempt there (RFC 8030, 5.4) and different transitions never replace each other.
 */
export interface PushPayload {
  notification_id: string;
  tag: string;
  title: string;
  body: string;
  severity: AlertMessage['severity'];
  kind: AlertMessage['kind'];
  url: string;
  alert_id: string | null;
  at: number;
  actions: ('acknowledge' | 'snooze')[];
}

const mostPayloadBytes = 3072;

/** What a device that was off for longer than this would learn is old news, seconds. */
const keptSeconds = { info: 3600, warning: 12 * 3600, critical: 24 * 3600 } as const;
const urgencies = { info: 'low', warning: 'normal', critical: 'high' } as const;

export function pushRequest(
  destination: Extract<Destination, { kind: 'push' }>,
  { key, message }: OutgoingDelivery,
  vapid: Vapid,
  nowMs: number,
): { url: string; headers: Record<string, string>; body: Buffer } {
  const url = parseUrl(destination.endpoint);
  return {
    url: url.href,
    headers: {
      Authorization: vapid.authorization(url, nowMs),
      'Content-Type': 'application/octet-stream',
      'Content-Encoding': 'aes128gcm',
      TTL: String(keptSeconds[message.severity]),
      Urgency: urgencies[message.severity],
      Topic: createHash('sha256').update(key).digest('base64url').slice(0, 32),
    },
    body: encryptPush(payloadBytes(message), destination),
  };
}

const actionable: ReadonlySet<AlertMessage['kind']> = new Set([
  'firing',
  'escalated',
  'repeated',
  'flapping',
]);

/** At most 3 KB: the parts that users write are cut, the body first. */
function payloadBytes(message: AlertMessage): Buffer {
  const payload: PushPayload = {
    notification_id: message.notificationId,
    tag: shortened(message.tag, 200),
    title: shortened(headline(message), 160),
    body: shortened(message.text, 1500),
    severity: message.severity,
    kind: message.kind,
    url: message.url.length > 600 ? '' : message.url,
    alert_id: message.alerts[0]?.alertId ?? null,
    at: message.at,
    actions: actionable.has(message.kind) && message.alerts.length > 0 ? ['acknowledge', 'snooze'] : [],
  };
  let bytes = Buffer.from(JSON.stringify(payload));
  while (bytes.length > mostPayloadBytes && payload.body.length > 1) {
    payload.body = shortened(payload.body, Math.floor(payload.body.length * 0.8));
    bytes = Buffer.from(JSON.stringify(payload));
  }
  return bytes;
}
