import * as z from 'zod/mini';
import { whereSchema } from '../query.ts';
import { latestMomentMs } from '../time.ts';

/** What keeps alerts quiet, who is on call, and where messages go: settings of a tenant. */
const id = z.string().check(z.minLength(1), z.maxLength(64));
const name = z.string().check(z.minLength(1), z.maxLength(120));
const timeOfDay = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write for example 09:00'));
const zone = z.string().check(z.minLength(1), z.maxLength(64));
/** Epoch ms. */
const moment = z
  .number()
  .check(
    z.gte(0, 'write milliseconds since 1970'),
    z.lte(latestMomentMs, 'write milliseconds since 1970, before the year 10000'),
  );

/**
 * Which alerts: matchers over their labels, `rule` (its id) and `severity` among them. Empty matches every alert.
 */
export const alertMatchSchema = whereSchema;

export const silenceContentSchema = z.strictObject({
  where: alertMatchSchema,
  from: moment,
  to: moment,
  reason: z.string().check(z.minLength(1, 'say why, for the people who will wonder'), z.maxLength(500)),
});
export type SilenceContent = z.infer<typeof silenceContentSchema>;
export interface Silence extends SilenceContent {
  silence_id: string;
  user_id: string;
  owner_name: string;
  created_at: number;
}

/** A silence that comes back: on these weekdays (0 = Sunday) from `start` for `duration`, in a time zone. */
export const maintenanceContentSchema = z.strictObject({
  name,
  where: alertMatchSchema,
  days: z.array(z.number().check(z.int(), z.gte(0), z.lte(6))).check(z.minLength(1), z.maxLength(7)),
  start: timeOfDay,
  duration: z.string().check(z.regex(/^\d+(m|h)$/, 'write for example 90m or 2h')),
  tz: zone,
  enabled: z._default(z.boolean(), true),
});
export type MaintenanceContent = z.infer<typeof maintenanceContentSchema>;
/** Epoch ms, `to` exclusive. */
export interface Span {
  from: number;
  to: number;
}
export interface Maintenance extends MaintenanceContent {
  maintenance_id: string;
  /** The window that is open at the moment of the answer, if one is, and the next ones; none when it is switched off. */
  upcoming: Span[];
}

/**
 * While an alert that matches `source` fires, alerts that match `target` and have the same values of `equal` labels are
 * kept quiet. Built in beside these: a critical one silences weaker ones of the same metric and group.
 */
export const inhibitionContentSchema = z.strictObject({
  name,
  source: alertMatchSchema,
  target: alertMatchSchema,
  equal: z._default(z.array(z.string().check(z.maxLength(128))).check(z.maxLength(16)), []),
});
export type InhibitionContent = z.infer<typeof inhibitionContentSchema>;
export interface Inhibition extends InhibitionContent {
  inhibition_id: string;
}

/** Who is on call: the members in turn, a week each, changing hands at a weekday and time; overrides come first. */
export const scheduleContentSchema = z.strictObject({
  name,
  tz: zone,
  members: z.array(id).check(z.minLength(1), z.maxLength(50)),
  handover_day: z.number().check(z.int(), z.gte(0), z.lte(6)),
  handover_time: timeOfDay,
  /** Any moment of the week in which the first member is on call. */
  starts_at: moment,
  overrides: z._default(
    z.array(z.strictObject({ user_id: id, from: moment, to: moment })).check(z.maxLength(200)),
    [],
  ),
});
export type ScheduleContent = z.infer<typeof scheduleContentSchema>;
/** A time in which one person is on call. */
export interface Shift extends Span {
  user_id: string;
  /** Empty: somebody who is not a member any more. */
  name: string;
  override: boolean;
}
export interface Schedule extends ScheduleContent {
  schedule_id: string;
  /** Who is on call at the moment of the answer, and until when. */
  on_call: { user_id: string; name: string; until: number } | null;
  /** The shift that runs at the moment of the answer, from that moment, and those after it. */
  shifts: Shift[];
  /** Names of everybody in it: who cannot list users sees a schedule, too. */
  people: { user_id: string; name: string }[];
}

/** Formats of a webhook's body. `nowcast` is ours, signed; `custom` a template of the user's. */
export const webhookFormats = [
  'nowcast',
  'slack',
  'discord',
  'teams',
  'telegram',
  'pagerduty',
  'opsgenie',
  'custom',
] as const;

export const channelContentSchema = z.strictObject({
  name,
  enabled: z._default(z.boolean(), true),
  config: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('webhook'),
      url: z.string().check(z.minLength(1), z.maxLength(2000)),
      format: z._default(z.enum(webhookFormats), 'nowcast'),
      /** `custom`: JSON with the placeholders of a rule's message; each is put in as JSON text. */
      template: z._default(z.string().check(z.maxLength(20_000)), ''),
      /** Telegram's chat, PagerDuty's routing key, Opsgenie's API key. Never shown again. */
      secret: z._default(z.string().check(z.maxLength(500)), ''),
    }),
    z.strictObject({
      kind: z.literal('email'),
      to: z
        .array(
          z
            .string()
            .check(
              z.maxLength(254),
              z.regex(/^[^\s@<>",;]+@[^\s@<>",;]+$/, 'write an address like name@example.com'),
            ),
        )
        .check(z.minLength(1), z.maxLength(20)),
    }),
  ]),
  /** Channel that is used when this one has failed for good. */
  fallback_channel_id: z.optional(id),
});
export type ChannelContent = z.infer<typeof channelContentSchema>;
export interface Channel extends ChannelContent {
  channel_id: string;
  created_at: number;
  /** Signs the body of `nowcast` webhooks (HMAC-SHA256); only in the answer that created it or made it anew. */
  signing_secret?: string;
  /** How the last delivery ended; null: none yet. */
  last: { at: number; ok: boolean; error: string } | null;
}

/** How one person is told, by severity; the inbox always is. */
const ways = z.array(z.enum(['push', 'email', 'sound'])).check(z.maxLength(3));
export const notificationPreferencesSchema = z.strictObject({
  info: z._default(ways, []),
  warning: z._default(ways, ['push']),
  critical: z._default(ways, ['push', 'email']),
  /** Nothing but critical in these hours; the rest waits for their end. */
  quiet_hours: z.optional(
    z.strictObject({
      from: timeOfDay,
      to: timeOfDay,
      tz: zone,
      critical_too: z._default(z.boolean(), false),
    }),
  ),
  /** E-mails below critical as one digest: never, each hour, each day at 08:00. */
  digest: z._default(z.enum(['off', 'hourly', 'daily']), 'off'),
});
export type NotificationPreferences = z.infer<typeof notificationPreferencesSchema>;
export type NotificationPreferencesInput = z.input<typeof notificationPreferencesSchema>;

/** What a browser gives for Web Push (W3C Push API, `PushSubscription.toJSON()`). */
export const pushSubscriptionSchema = z.strictObject({
  endpoint: z.string().check(z.maxLength(2000)),
  keys: z.strictObject({
    p256dh: z.string().check(z.maxLength(200)),
    auth: z.string().check(z.maxLength(100)),
  }),
  /** Shown in the list of devices. */
  device: z._default(z.string().check(z.maxLength(120)), ''),
});
export type PushSubscriptionInput = z.infer<typeof pushSubscriptionSchema>;
export interface PushDevice {
  device_id: string;
  device: string;
  created_at: number;
  last: { at: number; ok: boolean; error: string } | null;
}

/** What the delivery side can do here: without SMTP the page says so. */
export interface NotifyInfo {
  email: boolean;
  /** VAPID public key, base64url, for `pushManager.subscribe`. */
  push_public_key: string;
}
