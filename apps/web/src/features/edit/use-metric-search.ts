import { useQuery } from '@tanstack/react-query';
import type { MetricInfo } from '@nowcast/contract';
import { listedMetrics, metricsQuery } from '../../api/queries.ts';
import { useRested } from '../../ui/use-rested.ts';

/**
 * Metrics to choose from. All of them are at hand at once where they are few; of more than the page lists, the server is
 * asked for those that hold the longest word of the search, since it matches by one.
 */
export function useMetricSearch(search: string) {
  const listed = useQuery(metricsQuery());
  const isCut = (listed.data?.length ?? 0) >= listedMetrics;
  const words = useRested(search).split(/\s+/);
  const word = words.reduce((longest, one) => (one.length > longest.length ? one : longest), '');
  const more = useQuery({ ...metricsQuery(word), enabled: isCut && word !== '' });
  return {
    listed,
    metrics: joined(listed.data ?? [], isCut ? more.data : undefined),
    searching: more.isFetching,
  };
}

function joined(listed: readonly MetricInfo[], more: readonly MetricInfo[] = []): readonly MetricInfo[] {
  if (more.length === 0) return listed;
  const names = new Set(listed.map((metric) => metric.metric_type));
  return [...listed, ...more.filter((metric) => !names.has(metric.metric_type))];
}
