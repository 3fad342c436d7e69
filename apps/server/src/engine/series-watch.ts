import type { SeriesDefinition, Where } from '@nowcast/contract';
import { type SeriesIndex, seriesTest } from '@nowcast/head';
import type { Unsubscribe } from '@nowcast/kernel';

type SeriesListener = (handle: number, definition: SeriesDefinition) => void;

/** Tells views and alert rules which series are theirs: those that exist, and each new one before its first point. */
export class SeriesWatch {
  readonly #index: SeriesIndex;
  readonly #listeners = new Map<string, Set<SeriesListener>>();

  constructor(index: SeriesIndex) {
    this.#index = index;
    index.onSeries((handle) => {
      const definition = index.definitionOf(handle);
      const key = keyOf(definition.tenant, definition.metric_type);
      for (const listener of this.#listeners.get(key) ?? []) listener(handle, definition);
    });
  }

  /** Throws `query.invalid` for a bad regular expression. */
  watch(
    tenant: string,
    { metricType, where }: { metricType: string; where: Where },
    onSeries: SeriesListener,
  ): Unsubscribe {
    const accepts = seriesTest(where);
    for (const handle of this.#index.match(tenant, metricType, where))
      onSeries(handle, this.#index.definitionOf(handle));
    const listener: SeriesListener = (handle, definition) => {
      if (accepts(definition)) onSeries(handle, definition);
    };
    const key = keyOf(tenant, metricType);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }
}

function keyOf(tenant: string, metric: string): string {
  return `${tenant}\n${metric}`;
}
