import type { MetricInfo } from '@nowcast/contract';

/**
 * Names of labels as a filter offers them: those that most of the metrics in view carry, then `source`, which every
 * series has, then all others. A filter by a label that nothing in view carries changes nothing.
 */
export function orderLabels(
  known: readonly string[],
  metrics: readonly MetricInfo[],
  inView: readonly string[],
): string[] {
  const carriers = new Map<string, number>();
  for (const metric of metrics) {
    if (!inView.includes(metric.metric_type)) continue;
    for (const label of metric.labels) carriers.set(label, (carriers.get(label) ?? 0) + 1);
  }
  const own = [...carriers]
    .filter(([label]) => label !== 'source')
    .sort((a, b) => b[1] - a[1])
    .map(([label]) => label);
  return [...new Set([...own, 'source', ...known])];
}
