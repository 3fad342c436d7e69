import type { Panel } from '@nowcast/contract';
import { formatValue } from '../units/format.ts';
import type { Limit } from './limits.ts';

type Threshold = Panel['display']['thresholds'][number];

/** The worst level that `value` reaches. A warning above its critical value means that low is bad. */
export function levelOf(
  value: number | null,
  thresholds: readonly Threshold[],
): 'ok' | 'warn' | 'crit' | null {
  if (thresholds.length === 0 || value === null) return null;
  const low = lowIsBad(thresholds);
  const reached = thresholds.filter((one) => (low ? value <= one.value : value >= one.value));
  if (reached.some((one) => one.level === 'crit')) return 'crit';
  return reached.length > 0 ? 'warn' : 'ok';
}

export function lowIsBad(thresholds: readonly Threshold[]): boolean {
  const warn = thresholds.filter((one) => one.level === 'warn').map((one) => one.value);
  const crit = thresholds.filter((one) => one.level === 'crit').map((one) => one.value);
  return warn.length > 0 && crit.length > 0 && Math.max(...crit) < Math.min(...warn);
}

/** A panel's own limits. */
export function limitsOfThresholds({ thresholds, unit }: Panel['display']): Limit[] {
  const low = lowIsBad(thresholds);
  return thresholds.map(({ value, level }) => ({
    value,
    level,
    text: `${level === 'crit' ? 'critical' : 'warning'} ${formatValue(value, unit)}`,
    badTo: low ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
  }));
}
