import { appError } from './errors.ts';

const unitMs: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `15m` → 900000. Units ms, s, m, h, d, w. Throws `query.invalid`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
  if (!(value > 0))
    throw appError('query.invalid', `"${text}" is not a duration; write for example 30s, 15m, 6h or 7d`);
  return value;
}

/** 900000 → `15m`, with the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const) {
    const size = unitMs[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** Last of the moments that people may set, epoch ms: every calendar and page can show the years 1970 to 9999. */
export const latestMomentMs = 253_402_300_799_999;

/**
 * Times that may be asked about, epoch ms: the years 1900 to 2199. Far beyond every point, and near enough that sums of
 * them stay exact, that every zone has an offset then, and that a walk by the hour comes to its end.
 */
const earliestMs = -2_208_988_800_000;
const latestMs = 7_258_118_400_000;

/** Whether something can be asked about this time; false for NaN. */
export function isAskable(ms: number): boolean {
  return ms >= earliestMs && ms <= latestMs;
}

/** The same time. Throws `query.invalid` for one that nothing can be asked about, NaN included. */
export function checkedTime(ms: number): number {
  if (isAskable(ms)) return ms;
  throw appError(
    'query.invalid',
    'a range lies in the years 1900 to 2199, its first and last bucket included; ask for a shorter one',
  );
}

/** A bucket width: a fixed number of milliseconds, or days, weeks (from Monday), months of a time zone. */
export type Step =
  | { kind: 'fixed'; ms: number }
  | { kind: 'calendar'; unit: 'day' | 'week' | 'month'; count: number };

const calendarUnits = { d: 'day', w: 'week', mo: 'month' } as const;

/** `10s` → fixed; `1d`, `1w`, `1mo` → calendar. Throws `query.invalid`. */
export function parseStep(text: string): Step {
  const calendar = /^(\d{1,3})(d|w|mo)$/.exec(text);
  if (calendar !== null && Number(calendar[1]) >= 1) {
    return {
      kind: 'calendar',
      unit: calendarUnits[calendar[2] as 'd' | 'w' | 'mo'],
      count: Number(calendar[1]),
    };
  }
  return { kind: 'fixed', ms: parseDuration(text) };
}

/**
 * Epoch milliseconds, RFC 3339, `now`, `now-15m`, `now+1h`. Throws `query.invalid`, also for a year before 1900 or after
 * 2199, for a date the calendar does not have and for a time without its offset: `Date.parse` would take the one for
 * another day and read the other in the zone of whatever machine it runs on.
 */
export function parseTime(input: number | string, nowMs: number): number {
  if (typeof input === 'number') {
    if (Number.isFinite(input)) return checkedTime(input);
  } else if (/^-?\d{1,16}$/.test(input)) {
    return checkedTime(Number(input));
  } else if (input === 'now') {
    return nowMs;
  } else if (/^now[+-]/.test(input)) {
    const delta = parseDuration(input.slice(4));
    return checkedTime(input[3] === '-' ? nowMs - delta : nowMs + delta);
  } else {
    const match = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/.exec(input);
    const parsed = match === null || !isDate(match[1] ?? '') ? Number.NaN : Date.parse(input);
    if (!Number.isNaN(parsed)) return checkedTime(parsed);
  }
  throw appError(
    'query.invalid',
    `"${input}" is not a time; write epoch milliseconds, RFC 3339 with its offset such as 2026-10-20T08:00:00Z, or now-15m`,
  );
}

/** Whether a day written YYYY-MM-DD is in the calendar. */
function isDate(text: string): boolean {
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}
