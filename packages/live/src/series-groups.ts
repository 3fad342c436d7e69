import { groupLabels, groupValues, labelText } from '@nowcast/aggregate';
import type { SeriesDefinition, SeriesLabels } from '@nowcast/contract';
import { GrowableUint32 } from '@nowcast/kernel';

/** Group of a series that nobody has room for. */
export const noGroup = 0xffff_ffff;

export interface SeriesGroup {
  labels: SeriesLabels;
  /** `labelText` of the labels. */
  text: string;
}

/** How a list of series falls into groups by the values of some labels: one number for each series. */
export class SeriesGroups {
  readonly #groupBy: readonly string[];
  readonly #groups: SeriesGroup[] = [];
  readonly #byValues = new Map<string, number>();
  /** Series of each group. */
  readonly #sizes: number[] = [];
  readonly #groupOf = new GrowableUint32();

  constructor(groupBy: readonly string[]) {
    this.#groupBy = groupBy;
  }

  /** In the order of their numbers. */
  get groups(): readonly SeriesGroup[] {
    return this.#groups;
  }

  /** Group of each series, or `noGroup`, in the order of `addSeries`; valid until the next one. */
  get groupOf(): Uint32Array {
    return this.#groupOf.view();
  }

  sizeOf(group: number): number {
    return this.#sizes[group]!;
  }

  /** What `find` and `addGroup` know the group of a series by. */
  valuesOf(definition: SeriesDefinition): string {
    return groupValues(definition, this.#groupBy);
  }

  find(values: string): number | undefined {
    return this.#byValues.get(values);
  }

  /** Adds the group of a series that has none yet; its number is that of the groups before it. */
  addGroup(values: string, definition: SeriesDefinition): SeriesGroup {
    const labels = groupLabels(definition, this.#groupBy);
    const group = { labels, text: labelText(labels) };
    this.#byValues.set(values, this.#groups.length);
    this.#groups.push(group);
    this.#sizes.push(0);
    return group;
  }

  /** Notes the next series as one of this group, or of `noGroup`. */
  addSeries(group: number): void {
    this.#groupOf.push(group);
    if (group !== noGroup) this.#sizes[group]! += 1;
  }
}
