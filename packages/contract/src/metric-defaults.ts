import type { Across, Agg } from './aggregate-names.ts';
import { type ChartType, type UnitName, unitPerSecond } from './board.ts';

/**
 * What to do with a metric nobody has configured: the one place that decides it, for boards the server generates and
 * for panels the page suggests alike. From its name (and, where the caller has seen its values, from
 * whether they only ever rise). A wrong guess costs the user one choice; no guess costs everybody that choice for
 * every panel. Names follow no single standard: Prometheus (`_total`, base units as suffix, https://prometheus.io/docs/practices/naming/),
 * OpenTelemetry (dots), StatsD and hand-made ones all occur, so rules look at words, most telling first.
 */
export interface MetricDefaults {
  default_agg: Agg;
  default_across: Across;
  unit: UnitName;
  chart_type: ChartType;
  /** Show the amount by the second: `increase` by the time since the last report, others by their bucket. */
  per_second: boolean;
}

interface MetricHints {
  /** Whether the values seen so far never fell, except back to about zero. */
  looksLikeCounter?: boolean;
}

interface Rule {
  /** `last` is the last word: where a name states its kind. */
  when(words: ReadonlySet<string>, hints: MetricHints, last: string): boolean;
  give(words: ReadonlySet<string>): Partial<MetricDefaults>;
}

const gauge: MetricDefaults = {
  default_agg: 'avg',
  default_across: 'merge',
  unit: 'none',
  chart_type: 'line',
  per_second: false,
};
/** Growth of each series, added up; drawn per second. */
const counter = {
  default_agg: 'increase',
  default_across: 'sum',
  chart_type: 'area',
  per_second: true,
} as const;
/** A level that several series have a part of: ten hosts' memory is their sum. */
const level = { default_agg: 'avg', default_across: 'sum', chart_type: 'area' } as const;

const set = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const perSecond = set('rps qps tps ops');
const shares = set(
  'percent percentage pct usage utilization utilisation ratio fraction share saturation load rate',
);
const durations = set('latency duration elapsed rtt ping took');
const ages = set('lag delay age staleness uptime');
const bytes = set('bytes byte octets');
/** Amounts of memory; of the multiples no unit is printed, or kilobytes would read as bytes. */
const sizes = set('bytes byte octets kilobytes megabytes gigabytes kb mb gb kib mib gib');
const bits = set('bits bps');
const traffic = set(
  'io network net sent received recv transmitted transmit receive read reads write writes written rx tx traffic',
);
const kernelCounts = set('bytes octets packets sectors');
const amounts = set(
  'sale sales revenue amount amounts turnover payment payments spend cost income refund refunds donation donations',
);
const events = set(
  'click clicks view views pageview pageviews visit visits signup signups login logins logout logouts error errors ' +
    'failure failures request requests hit hits event events action actions purchase purchases order orders ' +
    'download downloads upload uploads message messages exception exceptions conversion conversions search searches',
);
/** Things that are there at a moment: several series each have a part of them. */
const held = set(
  'active current open queue queued depth pending waiting connections sessions inflight backlog free used available ' +
    'online running threads goroutines processes viewers cached memory',
);
const counted = set('count size entries items');
const temperatures = set('temperature celsius');
const frequencies = set('hertz hz frequency');

const hasAny = (words: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean => {
  for (const word of words) if (wanted.has(word)) return true;
  return false;
};

/** `temp` is a temperature where the name ends with it: `cpu_temp`, `temp_max`, but not `temp_files`. */
function isTemperature(words: ReadonlySet<string>): boolean {
  return hasAny(words, temperatures) || /(?:^| )temp(?: (?:c|avg|mean|min|max))?$/.test([...words].join(' '));
}

/** The unit a name states, else `otherwise`. */
function timeUnit(words: ReadonlySet<string>, otherwise: 'milliseconds' | 'seconds'): UnitName {
  if (hasAny(words, set('ms millis milliseconds'))) return 'milliseconds';
  return hasAny(words, set('s sec secs seconds')) ? 'seconds' : otherwise;
}

function moneyUnit(words: ReadonlySet<string>): UnitName {
  if (hasAny(words, set('eur euro euros'))) return 'eur';
  return hasAny(words, set('usd dollar dollars')) ? 'usd' : 'none';
}

function rateUnit(words: ReadonlySet<string>): UnitName {
  if (hasAny(words, bits)) return 'bits_per_second';
  return hasAny(words, bytes) ? 'bytes_per_second' : 'per_second';
}

function amountUnit(words: ReadonlySet<string>): UnitName {
  if (hasAny(words, bytes)) return 'bytes';
  return words.has('seconds') ? 'seconds' : 'count';
}

/** The server's own figures whose names could be read either way. */
const own: Readonly<Record<string, Partial<MetricDefaults>>> = {
  nowcast_ingest_points: { ...counter, unit: 'count' },
  nowcast_log_bytes: { ...counter, unit: 'bytes' },
  nowcast_cpu_seconds: { ...counter, unit: 'seconds' },
  nowcast_views: { ...level, unit: 'count' },
  nowcast_event_to_frame_ms: { default_agg: 'max', unit: 'milliseconds' },
};

const timeWords = ['time', 'ms', 'millis', 'milliseconds', 'seconds', 'sec', 'secs'];

const rules: readonly Rule[] = [
  {
    // Prometheus' and OpenMetrics' names for counters. `memory_total` is how much there is.
    when: (words, _hints, last) => ['total', 'counter', 'bucket'].includes(last) && !hasAny(words, held),
    give: (words) => ({ ...counter, unit: amountUnit(words) }),
  },
  {
    when: (words) => hasAny(words, perSecond) || (words.has('per') && hasAny(words, set('second sec s'))),
    give: (words) => ({ ...level, unit: rateUnit(words) }),
  },
  {
    when: (words) => hasAny(words, ages),
    give: (words) => ({ default_agg: 'max', unit: timeUnit(words, 'seconds') }),
  },
  {
    when: (words) => hasAny(words, durations),
    give: (words) => ({ default_agg: 'p95', unit: timeUnit(words, 'milliseconds') }),
  },
  {
    when: (words, _hints, last) => hasAny(words, shares) && !hasAny(words, sizes) && last !== 'time',
    give: (words) => {
      if (hasAny(words, set('ratio fraction'))) return { unit: 'ratio' };
      return hasAny(words, set('load rate')) ? {} : { unit: 'percent' };
    },
  },
  { when: isTemperature, give: () => ({ unit: 'celsius' }) },
  { when: (words) => hasAny(words, frequencies), give: () => ({ unit: 'hertz' }) },
  {
    when: (words, hints) =>
      hints.looksLikeCounter === true && !hasAny(words, amounts) && !hasAny(words, held),
    give: (words) => ({ ...counter, unit: amountUnit(words) }),
  },
  {
    // What the kernel has counted since boot.
    when: (words, hints) =>
      hasAny(words, traffic) && hasAny(words, kernelCounts) && hints.looksLikeCounter !== false,
    give: (words) => ({ ...counter, unit: amountUnit(words) }),
  },
  {
    when: (words) => hasAny(words, sizes),
    give: (words) => ({ ...level, unit: hasAny(words, bytes) ? 'bytes' : 'none' }),
  },
  { when: (words) => hasAny(words, bits), give: () => ({ ...level, unit: 'bits_per_second' }) },
  {
    when: (words) => hasAny(words, amounts),
    give: (words) => ({ default_agg: 'sum', unit: moneyUnit(words), chart_type: 'bar' }),
  },
  { when: (words) => hasAny(words, held), give: () => ({ ...level, unit: 'count' }) },
  { when: (words) => hasAny(words, counted), give: () => ({ ...level, unit: 'count' }) },
  {
    when: (words) => hasAny(words, events),
    give: () => ({ default_agg: 'sum', unit: 'count', chart_type: 'bar' }),
  },
  {
    when: (_words, _hints, last) => timeWords.includes(last),
    give: (words) => ({ default_agg: 'p95', unit: timeUnit(words, 'milliseconds') }),
  },
];

/** Words of a name: `httpRequests.Duration_ms` → http, requests, duration, ms. */
function wordsOf(metricType: string): string[] {
  return metricType
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** How a metric combines, is counted and is drawn unless somebody chooses otherwise. */
export function defaultsFor(metricType: string, hints: MetricHints = {}): MetricDefaults {
  const exact = Object.hasOwn(own, metricType) ? own[metricType] : undefined;
  if (exact !== undefined) return { ...gauge, ...exact };
  const list = wordsOf(metricType);
  const words = new Set(list);
  const rule = rules.find((candidate) => candidate.when(words, hints, list.at(-1) ?? ''));
  return { ...gauge, ...(rule === undefined ? { unit: moneyUnit(words) } : rule.give(words)) };
}

/** The unit of a metric's values once they are combined by `agg`: a count of bytes is a count. */
export function unitFor(metricType: string, agg: Agg): UnitName {
  if (agg === 'count' || agg === 'uniques') return 'count';
  const { unit } = defaultsFor(metricType);
  return agg === 'rate' ? unitPerSecond(unit) : unit;
}

const acronyms = set(
  'api cpu db dns gpu http https id io ip p50 p90 p95 p99 ram rpc rss sql ssl tcp tls ui udp url',
);
/** Words at the end of a name that the unit already says. */
const unitWords = set(
  'total bytes percent pct ratio ms millis milliseconds seconds sec celsius hertz eur usd',
);

/** `http_requests_total` → `HTTP requests`. */
export function titleOf(metricType: string): string {
  const words = wordsOf(metricType);
  while (words.length > 1 && unitWords.has(words.at(-1) ?? '')) words.pop();
  const text = words.map((word) => (acronyms.has(word) ? word.toUpperCase() : word)).join(' ');
  return text === ''
    ? metricType.slice(0, 200)
    : (text.charAt(0).toUpperCase() + text.slice(1)).slice(0, 200);
}
