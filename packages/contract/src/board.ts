import * as z from 'zod/mini';
import { acrossSchema, aggSchema } from './aggregate-names.ts';
import { alertStates, severitySchema } from './alerts/alert-names.ts';
import { whereSchema } from './query.ts';

/** Boards as they are stored and sent. A panel is the mission's "visualization" and keeps its field names. */
export const chartTypes = [
  'line',
  'area',
  'stacked',
  'bar',
  'pie',
  'stat',
  'gauge',
  'table',
  'feed',
  /** One tile for each group: its value and the worst alert about it. */
  'status',
  /** A list of alerts; `metric_type` empty: of any metric. `query.where` is about their labels. */
  'alerts',
] as const;
export const chartTypeSchema = z.enum(chartTypes);
export type ChartType = z.infer<typeof chartTypeSchema>;

/** Units the page knows how to print; the label of the axis follows. */
export const unitNames = [
  'none',
  'percent',
  'ratio',
  'bytes',
  'bytes_per_second',
  'bits_per_second',
  'seconds',
  'milliseconds',
  'count',
  'per_second',
  'celsius',
  'hertz',
  'eur',
  'usd',
] as const;
export type UnitName = (typeof unitNames)[number];

const unitsPerSecond: Partial<Record<UnitName, UnitName>> = {
  bytes: 'bytes_per_second',
  seconds: 'ratio',
  bytes_per_second: 'bytes_per_second',
  bits_per_second: 'bits_per_second',
};

/** What the unit of an amount becomes when it is divided by time. */
export function unitPerSecond(unit: UnitName): UnitName {
  return unitsPerSecond[unit] ?? 'per_second';
}

const shortText = z.string().check(z.maxLength(200));

export const thresholdSchema = z.strictObject({ value: z.number(), level: z.enum(['warn', 'crit']) });

export const panelQuerySchema = z.strictObject({
  /** Absent: the default that fits the metric (see `defaultAgg` in the catalog). */
  agg: z.optional(aggSchema),
  across: z.optional(acrossSchema),
  group_by: z._default(z.array(z.string().check(z.maxLength(128))).check(z.maxLength(16)), []),
  where: z._default(whereSchema, {}),
  step: z.optional(z.string().check(z.maxLength(16))),
  limit: z.optional(z.number().check(z.int(), z.gte(1), z.lte(1000))),
  order: z.optional(z.enum(['desc', 'asc'])),
  /** A range of this panel's own instead of the board's. */
  window: z.optional(z.string().check(z.maxLength(32))),
});

export const panelSchema = z.strictObject({
  visualization_id: z.string().check(z.minLength(1), z.maxLength(64)),
  title: shortText,
  metric_type: z.string().check(z.maxLength(256)),
  chart_type: chartTypeSchema,
  query: panelQuerySchema,
  /** Cells of a 12-column grid, rows of 32 px. */
  layout: z.strictObject({
    x: z.number().check(z.int(), z.gte(0), z.lte(11)),
    y: z.number().check(z.int(), z.gte(0), z.lte(10_000)),
    w: z.number().check(z.int(), z.gte(1), z.lte(12)),
    h: z.number().check(z.int(), z.gte(2), z.lte(60)),
  }),
  display: z.strictObject({
    unit: z._default(z.enum(unitNames), 'none'),
    decimals: z.optional(z.number().check(z.int(), z.gte(0), z.lte(8))),
    min: z.optional(z.number()),
    max: z.optional(z.number()),
    legend: z._default(z.enum(['none', 'list', 'table']), 'list'),
    thresholds: z._default(z.array(thresholdSchema).check(z.maxLength(10)), []),
    connect_gaps: z._default(z.boolean(), false),
    /**
     * Amounts per bucket (`count`, `sum`, `increase`) are shown by the second, whatever the bucket's width: growth
     * divided by the time since the last bucket with a value, the others by their bucket's seconds,
     * and their unit per second with them: bytes become bytes per second, seconds a ratio, all else "per second".
     */
    per_second: z.optional(z.boolean()),
    /** Alerts of the rules that watch its query, and of these, are drawn on it; absent: shown, none beside those. */
    alerts: z.optional(
      z.strictObject({
        shown: z._default(z.boolean(), true),
        rule_ids: z._default(z.array(z.string().check(z.maxLength(64))).check(z.maxLength(20)), []),
      }),
    ),
    /** What an `alerts` panel lists; absent: what fires or is acknowledged. Those that are over: of the range. */
    alert_states: z.optional(z.array(z.enum(alertStates)).check(z.minLength(1), z.maxLength(4))),
    /** The weakest severity that it lists; absent: any. */
    alert_severity: z.optional(severitySchema),
  }),
});
export type Panel = z.infer<typeof panelSchema>;

/** A choice at the top of the board that filters every panel whose series carry the label. */
export const variableSchema = z.strictObject({
  /** The label it filters by. */
  label: z.string().check(z.minLength(1), z.maxLength(128)),
  title: shortText,
  /** Metric whose label values are offered; empty: any. */
  metric_type: z._default(z.string().check(z.maxLength(256)), ''),
  /** Chosen values; empty: all. */
  selected: z._default(z.array(z.string().check(z.maxLength(1024))).check(z.maxLength(100)), []),
});
export type Variable = z.infer<typeof variableSchema>;

/** What a user edits and saves. */
export const boardContentSchema = z.strictObject({
  title: z.string().check(z.minLength(1), z.maxLength(120)),
  description: z._default(shortText, ''),
  /** Range the board opens with: a window (`15m`). */
  window: z._default(z.string().check(z.maxLength(32)), '15m'),
  shared: z._default(z.boolean(), false),
  variables: z._default(z.array(variableSchema).check(z.maxLength(20)), []),
  panels: z._default(z.array(panelSchema).check(z.maxLength(100)), []),
});
export type BoardContent = z.infer<typeof boardContentSchema>;
export type BoardContentInput = z.input<typeof boardContentSchema>;

/** Saving states the version it was edited from; another version since then is a 409. */
export const saveBoardSchema = z.strictObject({
  content: boardContentSchema,
  base_version: z.number().check(z.int(), z.gte(0)),
});

export type SaveBoardInput = z.infer<typeof saveBoardSchema>;

export interface Board extends BoardContent {
  board_id: string;
  user_id: string;
  owner_name: string;
  version: number;
  created_at: number;
  last_updated: number;
  starred: boolean;
  /** Whether the session that asked may save it. */
  editable: boolean;
}

export interface BoardSummary {
  board_id: string;
  title: string;
  description: string;
  user_id: string;
  owner_name: string;
  shared: boolean;
  panel_count: number;
  version: number;
  last_updated: number;
  starred: boolean;
  editable: boolean;
}

/** One line of a board's history, newest first. */
export interface BoardVersion {
  version: number;
  saved_at: number;
  user_id: string;
  /** Name of the person who saved it. */
  owner_name: string;
}
