import type { MetricInfo } from '@nowcast/contract';

/** How well a name answers a search; smaller is better. Labels come last: they say what a metric is split by. */
function rankOf(name: string, text: string, words: readonly string[]): number {
  if (name === text) return 0;
  if (name.startsWith(text)) return 1;
  if (name.includes(text)) return 2;
  return words.every((word) => name.includes(word)) ? 3 : 4;
}

/** Metrics whose name or labels hold every word of `search`, hits in names first; else in the order given. */
export function rankMetrics(metrics: readonly MetricInfo[], search: string): MetricInfo[] {
  const text = search.trim().toLowerCase();
  const words = text.split(/\s+/).filter(Boolean);
  return metrics
    .filter((metric) => {
      const all = `${metric.metric_type} ${metric.labels.join(' ')}`.toLowerCase();
      return words.every((word) => all.includes(word));
    })
    .map((metric) => ({ metric, rank: rankOf(metric.metric_type.toLowerCase(), text, words) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ metric }) => metric);
}
