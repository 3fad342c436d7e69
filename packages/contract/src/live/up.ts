import * as z from 'zod/mini';
import type { TenantEvent } from '../alerts/notification.ts';
import { querySchema } from '../query.ts';

/**
 * Messages from a client to the gateway (docs/protocol.md). Both subprotocols send them as JSON text: they are rare.
 * `id` names a subscription on this socket; `epoch` and `seq` are opaque and come from the last snapshot or delta.
 */
const subscriptionId = z.string().check(z.minLength(1), z.maxLength(64));
const resumeSchema = z.strictObject({
  epoch: z.string().check(z.maxLength(64)),
  seq: z.string().check(z.maxLength(512)),
});

export const subscribeSchema = z.strictObject({
  type: z.literal('subscribe'),
  id: subscriptionId,
  query: querySchema,
  resume: z.optional(resumeSchema),
  /** Slowest cadence this viewer asks for, milliseconds between deltas; default: as fast as the server ticks. */
  interval_ms: z.optional(z.number().check(z.int(), z.gte(50), z.lte(60_000))),
});
export const unsubscribeSchema = z.strictObject({ type: z.literal('unsubscribe'), id: subscriptionId });
/** Answers a frame that asked for an acknowledgement; `n` is the number that frame carried. */
export const ackSchema = z.strictObject({ type: z.literal('ack'), n: z.number().check(z.int(), z.gte(0)) });
/** Authenticates or re-authenticates the open socket with a bearer token (session token). */
export const authSchema = z.strictObject({
  type: z.literal('auth'),
  token: z.string().check(z.maxLength(512)),
});
/** Stops and restarts the flow of deltas without losing the subscriptions. */
export const pauseSchema = z.strictObject({ type: z.literal('pause'), paused: z.boolean() });

/** What happens in the tenant beside views, as `event` messages. */
const followTopics = ['alerts', 'rules', 'notifications'] as const;
export type FollowTopic = (typeof followTopics)[number];
/** Whose follower an event is for: a topic of its own, or one that comes with another. */
export function topicOf(event: TenantEvent): FollowTopic {
  if (event.topic === 'unread') return 'notifications';
  return event.topic === 'policies' ? 'rules' : event.topic;
}
/** Replaces what this socket followed before; none: follows nothing. Answered by `following`. */
export const followSchema = z.strictObject({
  type: z.literal('follow'),
  topics: z.array(z.enum(followTopics)).check(z.maxLength(followTopics.length)),
});

export const upSchema = z.discriminatedUnion('type', [
  subscribeSchema,
  unsubscribeSchema,
  ackSchema,
  authSchema,
  pauseSchema,
  followSchema,
]);
export type UpMessage = z.infer<typeof upSchema>;
export type FollowMessage = z.infer<typeof followSchema>;
export type SubscribeMessage = z.infer<typeof subscribeSchema>;
