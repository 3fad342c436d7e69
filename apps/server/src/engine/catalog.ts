import type { LabelValues, MetricInfo, Where } from '@nowcast/contract';
import type { SeriesIndex, Tail } from '@nowcast/head';

/** The combination that fits a metric, from its name; wired to the dashboards' rules by the composition root. */
export type MetricDefaults = (metricType: string) => Pick<MetricInfo, 'default_agg' | 'default_across'>;

/** Answers what the pickers ask: which metrics and labels exist. Everything comes from memory. */
export class Catalog {
  readonly #index: SeriesIndex;
  readonly #tails: readonly Tail[];
  readonly #defaults: MetricDefaults;

  constructor(index: SeriesIndex, tails: readonly Tail[], defaults: MetricDefaults) {
    this.#index = index;
    this.#tails = tails;
    this.#defaults = defaults;
  }

  /** Metrics whose name holds `search` (any case), the best match first: equal, then prefix, then by name. */
  metrics(tenant: string, search: string, limit: number): MetricInfo[] {
    const wanted = search.trim().toLowerCase();
    const rank = (name: string) => (name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2);
    return this.#index
      .metricNames(tenant)
      .filter((name) => name.toLowerCase().includes(wanted))
      .sort((a, b) => rank(a.toLowerCase()) - rank(b.toLowerCase()) || (a < b ? -1 : 1))
      .slice(0, limit)
      .map((name) => this.#describe(tenant, name));
  }

  /** Those of these metrics that exist, in this order, each once. */
  metricsNamed(tenant: string, names: readonly string[]): MetricInfo[] {
    return [...new Set(names)]
      .filter((name) => this.#index.metric(tenant, name) !== undefined)
      .map((name) => this.#describe(tenant, name));
  }

  /** Values of each label of the metric (every metric when empty) among the series that match, most series first. */
  labels(tenant: string, metricType: string, where: Where, limit: number): LabelValues[] {
    return [...this.#counts(tenant, metricType, where)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, values]) => ({ label, values: mostFrequent(values, limit) }));
  }

  #counts(
    tenant: string,
    metricType: string,
    where: Where,
  ): ReadonlyMap<string, ReadonlyMap<string, number>> {
    const isFiltered = Object.keys(where).length > 0;
    if (metricType === '' && !isFiltered) return this.#index.labelCounts(tenant);
    const merged = new Map<string, Map<string, number>>();
    for (const name of metricType === '' ? this.#index.metricNames(tenant) : [metricType]) {
      const metric = this.#index.metric(tenant, name);
      if (metric === undefined) continue;
      // Labels that none of the matching series has are listed too, without values.
      for (const label of metric.labelNames())
        if (!merged.has(label)) merged.set(label, new Map<string, number>());
      metric.countAmong(isFiltered ? metric.match(where) : metric.handles, (label, value, series) => {
        const values = merged.get(label)!;
        values.set(value, (values.get(value) ?? 0) + series);
      });
    }
    return merged;
  }

  #describe(tenant: string, name: string): MetricInfo {
    const metric = this.#index.metric(tenant, name)!;
    const newest = this.#newest(metric.handles);
    return {
      metric_type: name,
      series: metric.size,
      last_timestamp: newest.timestamp,
      last_value: newest.value,
      ...this.#defaults(name),
      labels: metric.labelNames(),
    };
  }

  #newest(handles: Uint32Array): { timestamp: number; value: number } {
    let timestamp = 0;
    let value = 0;
    for (const handle of handles) {
      const tail = this.#tails[this.#index.partitionOf(handle)]!;
      const at = tail.newestOf(handle);
      if (at > timestamp) {
        timestamp = at;
        value = tail.newestValueOf(handle);
      }
    }
    return { timestamp, value };
  }
}

/**
 * The `limit` values that most series carry, ties by text. A label may have a hundred thousand of them, nearly all with
 * one series each, so they are not sorted: each is held against the last of the best so far.
 */
function mostFrequent(values: ReadonlyMap<string, number>, limit: number): LabelValues['values'] {
  const best: LabelValues['values'] = [];
  // Everything below this has no chance once there are enough; ties with it go by text.
  let least = Number.NEGATIVE_INFINITY;
  let lastText = '';
  for (const [value, series] of values) {
    if (series < least || (series === least && value > lastText)) continue;
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = best[middle]!;
      if (other.series > series || (other.series === series && other.value < value)) low = middle + 1;
      else high = middle;
    }
    best.splice(low, 0, { value, series });
    if (best.length > limit) best.pop();
    const last = best.at(-1);
    if (best.length === limit && last !== undefined) {
      least = last.series;
      lastText = last.value;
    }
  }
  return best;
}
