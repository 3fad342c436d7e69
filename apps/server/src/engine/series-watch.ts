import type { SeriesDefinition, Where } from '@nowcast/contract';
import { requiredValues, type SeriesIndex, seriesTest, seriesValue } from '@nowcast/head';
import type { Unsubscribe } from '@nowcast/kernel';

type SeriesListener = (handle: number, definition: SeriesDefinition) => void;

/**
 * Who waits for new series of one metric. Of a thousand rules that watch a host each, a series of one host is shown to
 * those of that host alone.
 */
class Audience {
  readonly #all = new Set<SeriesListener>();
  /** label → value → those who take series with it alone. */
  readonly #byLabel = new Map<string, Map<string, Set<SeriesListener>>>();

  get isEmpty(): boolean {
    return this.#all.size === 0 && this.#byLabel.size === 0;
  }

  add(where: Where, listener: SeriesListener): void {
    const required = requiredValues(where);
    if (required === undefined) {
      this.#all.add(listener);
      return;
    }
    const { label, values } = required;
    let byValue = this.#byLabel.get(label);
    if (byValue === undefined) this.#byLabel.set(label, (byValue = new Map<string, Set<SeriesListener>>()));
    for (const value of values) byValue.set(value, (byValue.get(value) ?? new Set()).add(listener));
  }

  remove(where: Where, listener: SeriesListener): void {
    this.#all.delete(listener);
    const { label = '', values = [] } = requiredValues(where) ?? {};
    const byValue = this.#byLabel.get(label);
    for (const value of values) {
      const listeners = byValue?.get(value);
      listeners?.delete(listener);
      if (listeners?.size === 0) byValue!.delete(value);
    }
    if (byValue?.size === 0) this.#byLabel.delete(label);
  }

  tell(handle: number, definition: SeriesDefinition): void {
    for (const listener of this.#all) listener(handle, definition);
    for (const [label, byValue] of this.#byLabel) {
      const listeners = byValue.get(seriesValue(definition, label));
      if (listeners === undefined) continue;
      for (const listener of listeners) listener(handle, definition);
    }
  }
}

/** Tells views and alert rules which series are theirs: those that exist, and each new one before its first point. */
export class SeriesWatch {
  readonly #index: SeriesIndex;
  readonly #audiences = new Map<string, Map<string, Audience>>();

  constructor(index: SeriesIndex) {
    this.#index = index;
    index.onSeries((handle) => {
      const audience = this.#audiences.get(index.tenantOf(handle))?.get(index.metricOf(handle));
      audience?.tell(handle, index.definitionOf(handle));
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
    const metrics = this.#audiences.get(tenant) ?? new Map<string, Audience>();
    const audience = metrics.get(metricType) ?? new Audience();
    audience.add(where, listener);
    this.#audiences.set(tenant, metrics.set(metricType, audience));
    return () => {
      audience.remove(where, listener);
      if (audience.isEmpty && metrics.get(metricType) === audience) metrics.delete(metricType);
      if (metrics.size === 0 && this.#audiences.get(tenant) === metrics) this.#audiences.delete(tenant);
    };
  }
}
