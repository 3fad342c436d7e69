import * as z from 'zod/mini';
import { acrossSchema, aggSchema } from './aggregate-names.ts';

/**
 * The one query of the product: `GET /data`, live subscriptions, panels and (later) alert rules all speak it.
 * A label named `source` addresses the point's source; every other name is a label of the series.
 */
const labelName = z.string().check(z.minLength(1), z.maxLength(128));
const labelValue = z.string().check(z.maxLength(1024));

/** Is one of / is not one of / matches (RE2 syntax, anchored at both ends) / does not match. */
const conditionSchema = z.union([
  z.array(labelValue).check(z.minLength(1), z.maxLength(1000)),
  z.strictObject({ not: z.array(labelValue).check(z.minLength(1), z.maxLength(1000)) }),
  z.strictObject({ regex: z.string().check(z.maxLength(1024)) }),
  z.strictObject({ not_regex: z.string().check(z.maxLength(1024)) }),
]);
/** One condition on a label's value; a series without the label has the empty value. */
export type Condition = z.infer<typeof conditionSchema>;

/** One condition, or several that must all hold. */
const matcherSchema = z.union(
  [conditionSchema, z.strictObject({ all: z.array(conditionSchema).check(z.minLength(1), z.maxLength(64)) })],
  {
    error:
      'write one to 1000 values, {not: values}, {regex: "…"}, {not_regex: "…"}, or {all: […]} with one to 64 of these',
  },
);
export type Matcher = z.infer<typeof matcherSchema>;

export const whereSchema = z.record(labelName, matcherSchema);
export type Where = z.infer<typeof whereSchema>;

/** The conditions a matcher stands for. */
export function conditionsOf(matcher: Matcher): readonly Condition[] {
  return 'all' in matcher ? matcher.all : [matcher];
}

/** The matcher that holds where every one of the conditions (at least one) does. */
export function allOf(conditions: readonly Condition[]): Matcher {
  const [only] = conditions;
  return conditions.length === 1 && only !== undefined ? only : { all: [...conditions] };
}

/**
 * Series that satisfy every filter given: conditions on one label meet, and none replaces another. Labels keep the
 * order of their first mention.
 */
export function bothWhere(...filters: readonly Where[]): Where {
  const byLabel = new Map<string, Condition[]>();
  for (const [label, matcher] of filters.flatMap((where) => Object.entries(where)))
    byLabel.set(label, [...(byLabel.get(label) ?? []), ...conditionsOf(matcher)]);
  // fromEntries defines properties: a label called `__proto__` stays a label.
  return Object.fromEntries([...byLabel].map(([label, conditions]) => [label, allOf(conditions)]));
}

/** Epoch milliseconds, RFC 3339, or `now`, `now-15m`; in the years 1900 to 2199. */
const timeSchema = z.union([z.number(), z.string().check(z.maxLength(64))]);

export const querySchema = z.strictObject({
  metric_type: z.string().check(z.minLength(1), z.maxLength(256)),
  agg: z._default(aggSchema, 'avg'),
  across: z._default(acrossSchema, 'merge'),
  group_by: z._default(z.array(labelName).check(z.maxLength(16)), []),
  where: z._default(whereSchema, {}),
  /** A sliding range that ends now (`15m`); excludes from/to. */
  window: z.optional(z.string().check(z.maxLength(32))),
  from: z.optional(timeSchema),
  to: z.optional(timeSchema),
  /** `500ms`, `10s`, `5m`, `1h`, or a calendar step `1d`, `1w`, `1mo`; absent: chosen from the range. */
  step: z.optional(z.string().check(z.maxLength(16))),
  /** IANA zone that calendar steps follow. */
  tz: z._default(z.string().check(z.maxLength(64)), 'UTC'),
  /** Series (groups) to return, the rest meeting in "Other"; for `agg=none`: records. */
  limit: z.optional(z.number().check(z.int(), z.gte(1), z.lte(10_000))),
  /** Ranking of groups by their aggregate over the whole range; for `agg=none`: by time. */
  order: z._default(z.enum(['desc', 'asc']), 'desc'),
  /** `agg=none` only: where the previous page ended. */
  cursor: z.optional(z.string().check(z.maxLength(256))),
});
export type Query = z.infer<typeof querySchema>;
export type QueryInput = z.input<typeof querySchema>;

/** Label value that stands for all groups beyond `limit`. */
export const otherLabelValue = 'Other';
