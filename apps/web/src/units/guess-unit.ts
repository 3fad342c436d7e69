import type { UnitName } from './format.ts';

/**
 * The unit of a metric nobody has configured, from the whole words of its name: a rule that looks at parts of words
 * reads °C in `attempts` and dollars in `sales`. A number without a unit is plain, one with a wrong unit is false, so
 * only a name that states a unit (or a kind of which there is one usual unit) gets one.
 */
const set = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const perSecond = set('rps qps tps ops');
const shares = set('percent percentage pct usage utilization utilisation');
const ratios = set('ratio fraction');
const sizes = set('bytes byte octets');
const bits = set('bits bps');
const ages = set('lag delay age staleness uptime');
const durations = set('latency duration elapsed rtt ping took');
const milliseconds = set('ms millis milliseconds');
const shortSeconds = set('s sec secs');
const temperatures = set('temperature celsius');
const frequencies = set('hertz hz frequency');
const euros = set('eur euro euros');
const dollars = set('usd dollar dollars');

/** `httpRequests.Duration_ms` → http, requests, duration, ms. */
function wordsOf(metric: string): string[] {
  return metric
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function timeUnit(words: readonly string[], has: (wanted: ReadonlySet<string>) => boolean): UnitName | null {
  if (has(milliseconds)) return 'milliseconds';
  if (words.includes('seconds') || shortSeconds.has(words.at(-1) ?? '')) return 'seconds';
  if (has(durations)) return 'milliseconds';
  return has(ages) ? 'seconds' : null;
}

/** `temp` is a temperature where the name ends with it: `cpu_temp`, `temp_max`, but not `temp_files`. */
function isTemperature(words: readonly string[]): boolean {
  return /(?:^| )temp(?: (?:c|avg|mean|min|max))?$/.test(words.join(' '));
}

export function guessUnit(metric: string, agg?: string): UnitName {
  if (agg === 'count' || agg === 'uniques') return 'count';
  const words = wordsOf(metric);
  const has = (wanted: ReadonlySet<string>): boolean => words.some((word) => wanted.has(word));
  const stated = has(perSecond) || /(?:^| )per (?:second|sec|s)(?: |$)/.test(words.join(' '));
  const rate = stated || agg === 'rate';
  if (has(sizes)) return rate ? 'bytes_per_second' : 'bytes';
  if (has(bits)) return 'bits_per_second';
  if (has(ratios)) return 'ratio';
  if (has(shares)) return 'percent';
  const time = stated ? null : timeUnit(words, has);
  if (time !== null) return time;
  if (has(temperatures) || isTemperature(words)) return 'celsius';
  if (has(frequencies)) return 'hertz';
  if (has(euros)) return 'eur';
  if (has(dollars)) return 'usd';
  return rate ? 'per_second' : 'none';
}
