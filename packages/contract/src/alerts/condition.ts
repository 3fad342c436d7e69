import * as z from 'zod/mini';
import { acrossSchema, aggSchema } from '../aggregate-names.ts';
import { whereSchema } from '../query.ts';

/**
 * When a rule is broken. A condition reads one number a group: the aggregate of the points whose event time lies in
 * the window that ends now. "Now" is the logged receipt time, so that a replay of the log decides the same.
 */
const durationText = z
  .string()
  .check(z.regex(/^\d+(\.\d+)?(ms|s|m|h|d|w)$/, 'write for example 30s, 5m or 1h'));
const finite = z.number();

/** What a rule looks at, without time: the window is the rule's. */
export const ruleQuerySchema = z.strictObject({
  metric_type: z.string().check(z.minLength(1), z.maxLength(256)),
  /** Absent: the default that fits the metric. Not `none`. */
  agg: z.optional(
    aggSchema.check(z.refine((agg) => agg !== 'none', 'an alert needs a number; choose an aggregate')),
  ),
  across: z._default(acrossSchema, 'merge'),
  where: z._default(whereSchema, {}),
});
export type RuleQuery = z.infer<typeof ruleQuerySchema>;

/**
 * `value` is where it breaks; `recovery` (default: the same) where it is well again, so that a value that wobbles
 * around the limit does not open and close an alert each time. `outside` and `inside` use `upper` as their other end.
 */
export const thresholdConditionSchema = z.strictObject({
  kind: z.literal('threshold'),
  op: z.enum(['above', 'below', 'outside', 'inside']),
  value: finite,
  upper: z.optional(finite),
  recovery: z.optional(finite),
  recovery_upper: z.optional(finite),
});

/** Against the window before, or the window that ended a day or a week ago. */
export const changeConditionSchema = z.strictObject({
  kind: z.literal('change'),
  direction: z.enum(['rises', 'falls', 'either']),
  by: z.number().check(z.positive()),
  unit: z.enum(['value', 'percent']),
  against: z.enum(['previous', 'day', 'week']),
});

/** Outside the band that is usual for this group at this time of day and week. */
export const anomalyConditionSchema = z.strictObject({
  kind: z.literal('anomaly'),
  direction: z.enum(['above', 'below', 'either']),
  sensitivity: z.enum(['low', 'medium', 'high']),
});

/** A group that has sent before sends nothing for the whole window. */
export const noDataConditionSchema = z.strictObject({ kind: z.literal('no_data') });

/** A group that stops and comes back at least `times` within the window; silent means three missed intervals. */
export const flappingConditionSchema = z.strictObject({
  kind: z.literal('flapping'),
  times: z.number().check(z.int(), z.gte(2), z.lte(100)),
});

/** Other rules of the tenant: `all` or `any` of them firing for the labels both have. */
export const compositeConditionSchema = z.strictObject({
  kind: z.literal('composite'),
  mode: z.enum(['all', 'any']),
  rule_ids: z.array(z.string().check(z.maxLength(64))).check(z.minLength(1), z.maxLength(20)),
});

export const ruleConditionSchema = z.discriminatedUnion('kind', [
  thresholdConditionSchema,
  changeConditionSchema,
  anomalyConditionSchema,
  noDataConditionSchema,
  flappingConditionSchema,
  compositeConditionSchema,
]);
export type RuleCondition = z.infer<typeof ruleConditionSchema>;

/** What the engine evaluates of a rule; a change of anything in it makes a new version whose state begins anew. */
export const evaluationSchema = z.strictObject({
  /** Absent for composites alone. */
  query: z.optional(ruleQuerySchema),
  /** Divides the query's value by this one's, group by group: an error rate. Nothing to divide by is no data. */
  divide_by: z.optional(ruleQuerySchema),
  /** One alert for each combination of these labels' values; empty: one for all. */
  group_by: z._default(z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(8)), []),
  window: z._default(durationText, '1m'),
  condition: ruleConditionSchema,
  /** How long it must hold before the alert fires. */
  for: z._default(durationText, '0s'),
  /** How long an alert goes on firing after it is well again. */
  keep_firing_for: z._default(durationText, '0s'),
  /** The window ends this long before now, for sources that send with a delay. */
  delay: z._default(durationText, '0s'),
  /** A point received later than this, and the delay, after its event time counts for charts, not for this rule. */
  lateness: z._default(durationText, '1m'),
  /** A group that has sent before and has no value in the window: well, as it was, or broken. */
  no_data: z._default(z.enum(['ok', 'keep', 'alert']), 'keep'),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
export type EvaluationInput = z.input<typeof evaluationSchema>;
