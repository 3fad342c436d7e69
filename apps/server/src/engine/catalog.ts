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

  /** Values of each label of the metric (every metric when empty) among the series that match, most series first. */
  labels(tenant: string, metricType: string, where: Where, limit: number): LabelValues[] {
    const merged = new Map<string, Map<string, number>>();
    for (const name of metricType === '' ? this.#index.metricNames(tenant) : [metricType]) {
      const metric = this.#index.metric(tenant, name);
      if (metric === undefined) continue;
      const handles = metric.match(where);
      for (const label of metric.labelNames()) {
        let values = merged.get(label);
        if (values === undefined) merged.set(label, (values = new Map<string, number>()));
        for (const { value, series } of metric.valuesAmong(label, handles))
          values.set(value, (values.get(value) ?? 0) + series);
      }
    }
    return [...merged]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, values]) => ({
        label,
        values: [...values]
          .map(([value, series]) => ({ value, series }))
          .sort((a, b) => b.series - a.series || (a.value < b.value ? -1 : 1))
          .slice(0, limit),
      }));
  }

  #describe(tenant: string, name: string): MetricInfo {
    const metric = this.#index.metric(tenant, name)!;
    const newest = this.#newest(metric.match({}));
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
