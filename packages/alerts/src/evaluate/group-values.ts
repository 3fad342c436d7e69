import { groupValues } from '@nowcast/aggregate';
import type { SeriesDefinition } from '@nowcast/contract';

/**
 * What the series that was asked about last is grouped by. A new series is shown to all its rules one after the other,
 * and those that group alike look the same text up: made and hashed once.
 */
export class GroupValues {
  #definition: SeriesDefinition | undefined;
  /** By the names of the labels. */
  readonly #texts = new Map<string, string>();

  /** `key` is the same for the same `groupBy`, and for no other. */
  of(definition: SeriesDefinition, groupBy: readonly string[], key: string): string {
    if (definition !== this.#definition) {
      this.#definition = definition;
      this.#texts.clear();
    }
    let text = this.#texts.get(key);
    if (text === undefined) this.#texts.set(key, (text = groupValues(definition, groupBy)));
    return text;
  }
}
