import type { AlertSeries } from '@nowcast/contract';
import type { AlertRow } from '@nowcast/ports';
import { lookBackMs, valueOf } from './alert-picture.ts';
import type { NotifyOptions } from './notify-options.ts';
import type { TenantBook } from './tenant-book.ts';

/** Each is at most its least and its greatest value. */
const slots = 60;

/**
 * An alert's value as its rule computes it, from three quarters of an hour before it fired to a quarter after (two
 * windows in all, of a rule whose window is longer than half an hour), or to now. Empty where the rule is gone, is made
 * of other rules or has no data. Throws as a preview does.
 */
export async function alertSeries(
  { clock, evaluation: engine }: NotifyOptions,
  book: TenantBook,
  alert: AlertRow,
  signal: AbortSignal | undefined,
): Promise<AlertSeries> {
  const rule = (await book.rules(alert.tenantId)).get(alert.ruleId)?.content;
  const span = rule === undefined ? 0 : lookBackMs(rule.evaluation);
  const to = Math.min(clock.now(), (alert.firedAt ?? alert.since) + span / 4);
  const from = to - span;
  const empty = { from, to, point_ms: span / slots, timestamp: [], value: [] };
  if (rule?.evaluation.query === undefined) return empty;
  const preview = await engine.preview(alert.tenantId, valueOf(rule, alert), from, to, signal);
  const [series] = preview.series;
  if (series === undefined) return empty;
  // A young series is as long as it is: its minutes are not thinned to what the whole span would leave of them.
  const known = { from: Math.max(from, series.timestamp[0] ?? from), to };
  const pointMs = Math.max(preview.point_ms, (to - known.from) / slots);
  return { ...empty, point_ms: pointMs, ...thinned(series, known) };
}

/** What a line of some dozen pixels can show: of each slot of time its extremes, in the order they came. */
export function thinned(
  { timestamp, value }: Pick<AlertSeries, 'timestamp' | 'value'>,
  { from, to }: { from: number; to: number },
): Pick<AlertSeries, 'timestamp' | 'value'> {
  const kept = new Set<number>();
  const bySlot = Map.groupBy(timestamp.keys(), (i) =>
    Math.floor(((timestamp[i]! - from) / (to - from)) * slots),
  );
  const size = (i: number): number => value[i] ?? 0;
  for (const all of bySlot.values()) {
    const known = all.filter((i) => value[i] !== null);
    // One that is missing breaks the line.
    if (known.length === 0) kept.add(all[0]!);
    else for (const one of [least(known, size), least(known, (i) => -size(i))]) kept.add(one);
  }
  const order = [...kept].sort((a, b) => a - b);
  return { timestamp: order.map((i) => timestamp[i]!), value: order.map((i) => value[i] ?? null) };
}

function least(indices: readonly number[], size: (i: number) => number): number {
  return indices.reduce((best, i) => (size(i) < size(best) ? i : best));
}
