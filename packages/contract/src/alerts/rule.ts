import * as z from 'zod/mini';
import { unitNames } from '../board.ts';
import { severitySchema } from './alert-names.ts';
import { evaluationSchema } from './condition.ts';
import type { Delivery } from './notification.ts';

const id = z.string().check(z.minLength(1), z.maxLength(64));
const durationText = z
  .string()
  .check(z.regex(/^\d+(\.\d+)?(ms|s|m|h|d|w)$/, 'write for example 30s, 5m or 1h'));

/** Who hears of it. A person is told by the ways they chose; a channel is one of the tenant's. */
export const targetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('user'), user_id: id }),
  z.strictObject({ kind: z.literal('role'), role: z.enum(['viewer', 'editor', 'admin', 'owner']) }),
  z.strictObject({ kind: z.literal('schedule'), schedule_id: id }),
  z.strictObject({ kind: z.literal('channel'), channel_id: id }),
]);
export type Target = z.infer<typeof targetSchema>;

export const notifySchema = z.strictObject({
  /** Empty: the rule's owner. */
  targets: z._default(z.array(targetSchema).check(z.maxLength(20)), []),
  /** Alerts of the rule that fire within `group_wait` become one notification for each combination of these labels. */
  group_by: z._default(z.array(z.string().check(z.maxLength(128))).check(z.maxLength(8)), []),
  group_wait: z._default(durationText, '0s'),
  /** Said again as long as it fires and nobody acknowledged it; absent: never. */
  repeat: z.optional(durationText),
  /**
   * Said to others when nobody acknowledged it for so long, counted from the firing, or from the end of what kept it quiet.
   * A step that is late puts off those after it.
   */
  escalate: z._default(
    z
      .array(
        z.strictObject({
          after: durationText,
          targets: z.array(targetSchema).check(z.minLength(1), z.maxLength(20)),
        }),
      )
      .check(z.maxLength(5)),
    [],
  ),
  /** Say when it is over. */
  resolved: z._default(z.boolean(), true),
});
export type Notify = z.infer<typeof notifySchema>;

/** What a user writes and saves. */
export const ruleContentSchema = z.strictObject({
  name: z.string().check(z.minLength(1), z.maxLength(120)),
  description: z._default(z.string().check(z.maxLength(2000)), ''),
  enabled: z._default(z.boolean(), true),
  severity: z._default(severitySchema, 'warning'),
  evaluation: evaluationSchema,
  /**
   * Text of the notification: `{{value}}`, `{{limit}}`, `{{labels.host}}`, `{{rule}}`, `{{severity}}`, `{{state}}`,
   * `{{since}}`. Anything else stays as it is. Empty: a sentence made from the rule.
   */
  message: z._default(z.string().check(z.maxLength(2000)), ''),
  runbook_url: z._default(z.string().check(z.maxLength(2000)), ''),
  /** Carried by its alerts beside the group's own; routing and silences match on them. */
  labels: z._default(
    z.record(z.string().check(z.minLength(1), z.maxLength(128)), z.string().check(z.maxLength(1024))),
    {},
  ),
  unit: z._default(z.enum(unitNames), 'none'),
  /** More changes between firing and well than this within the time are one flapping alert that is said once. */
  flap: z._default(
    z.strictObject({ changes: z.number().check(z.int(), z.gte(3), z.lte(100)), within: durationText }),
    { changes: 6, within: '15m' },
  ),
  notify: z._default(notifySchema, {
    targets: [],
    group_by: [],
    group_wait: '0s',
    escalate: [],
    resolved: true,
  }),
});
export type RuleContent = z.infer<typeof ruleContentSchema>;
export type RuleContentInput = z.input<typeof ruleContentSchema>;

export const saveRuleSchema = z.strictObject({
  content: ruleContentSchema,
  base_version: z.number().check(z.int(), z.gte(0)),
});
export type SaveRuleInput = z.infer<typeof saveRuleSchema>;

/** A rule that is not saved (yet), to be told of as if it fired. */
export const testRuleSchema = z.strictObject({
  content: ruleContentSchema,
  /** The saved rule that it will be. */
  rule_id: z.optional(id),
});
export type TestRuleInput = z.infer<typeof testRuleSchema>;

/** How the test of a rule went: one attempt each way. */
export interface RuleTest {
  /** In the sender's own inbox. */
  notification_id: string;
  /** Names of those whose inbox has it. */
  people: string[];
  deliveries: RuleTestDelivery[];
}

/** `waiting` where it could not be tried at once; `error` says what for. */
export interface RuleTestDelivery extends Pick<Delivery, 'delivery_id' | 'via' | 'status' | 'error'> {
  /** Whose push or e-mail it is; null for a channel. */
  person: string | null;
}

export interface Rule extends RuleContent {
  rule_id: string;
  user_id: string;
  owner_name: string;
  version: number;
  created_at: number;
  last_updated: number;
  editable: boolean;
  /** Why it cannot be evaluated now, in words; null when it can. */
  problem: string | null;
  /** Groups by state at the moment of the answer. */
  counts: { ok: number; pending: number; firing: number; no_data: number };
}

/** "Would have fired N times": the rule's transitions over past data, by the evaluator that runs live. */
export const previewRuleSchema = z.strictObject({
  evaluation: evaluationSchema,
  /** How far back, at most 31 days. */
  range: z._default(durationText, '7d'),
});
export type PreviewRuleInput = z.infer<typeof previewRuleSchema>;

export interface RulePreview {
  /** Later than asked for where history or the rule's window limits what could be computed; `note` says so. */
  from: number;
  to: number;
  /** How often it was evaluated; live, it is at every arrival. */
  step_ms: number;
  /** Between two points of a series; a longer way is a gap. */
  point_ms: number;
  fired: number;
  /** The groups with most firings first; `more` were left out. */
  series: {
    labels: Record<string, string>;
    timestamp: number[];
    value: (number | null)[];
    /** Least and greatest value since the point before; absent where every value is a point. */
    least?: (number | null)[];
    greatest?: (number | null)[];
    /** What the value was compared with, where that moves (change, anomaly). */
    lower?: (number | null)[];
    upper?: (number | null)[];
    transitions: { from: ConditionState; to: ConditionState; at: number; value: number | null }[];
  }[];
  more: number;
  /** Where history limits what could be computed, in words. */
  note?: string;
}

/** State of one group of a rule, as the engine's machine knows it (packages/alerts/SPEC.md). */
export const conditionStates = ['ok', 'pending', 'firing', 'recovering'] as const;
export type ConditionState = (typeof conditionStates)[number];
