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

  /** Until the function that is returned is called. */
  add(where: Where, listener: SeriesListener): Unsubscribe {
    const required = this.#rarest(where);
    if (required === undefined) {
      this.#all.add(listener);
      return () => this.#all.delete(listener);
    }
    const { label, values } = required;
    let byValue = this.#byLabel.get(label);
    if (byValue === undefined) this.#byLabel.set(label, (byValue = new Map<string, Set<SeriesListener>>()));
    for (const value of values) byValue.set(value, (byValue.get(value) ?? new Set()).add(listener));
    return () => this.#remove(label, values, listener);
  }

  /** Of the labels that the filter names values of, the one whose values the fewest ask for. */
  #rarest(where: Where): { label: string; values: readonly string[] } | undefined {
    const crowd = ({ label, values }: { label: string; values: readonly string[] }) => {
      const byValue = this.#byLabel.get(label);
      return values.reduce((sum, value) => sum + (byValue?.get(value)?.size ?? 0), 0);
    };
    return requiredValues(where)
      .map((required) => ({ ...required, crowd: crowd(required) }))
      .sort((one, other) => one.crowd - other.crowd)[0];
  }

  #remove(label: string, values: readonly string[], listener: SeriesListener): void {
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
    const leave = audience.add(where, listener);
    this.#audiences.set(tenant, metrics.set(metricType, audience));
    return () => {
      leave();
      if (audience.isEmpty && metrics.get(metricType) === audience) metrics.delete(metricType);
      if (metrics.size === 0 && this.#audiences.get(tenant) === metrics) this.#audiences.delete(tenant);
    };
  }
}
