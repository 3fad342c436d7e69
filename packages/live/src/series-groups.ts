import { groupLabels, groupValues } from '@nowcast/aggregate';
import type { SeriesDefinition, SeriesLabels } from '@nowcast/contract';
import { GrowableUint32 } from '@nowcast/kernel';

/** Group of a series that nobody has room for. */
export const noGroup = 0xffff_ffff;

/** How a list of series falls into groups by the values of some labels: one number for each series. */
export class SeriesGroups {
  readonly #groupBy: readonly string[];
  readonly #groups: SeriesLabels[] = [];
  readonly #byValues = new Map<string, number>();
  /** Series of each group. */
  readonly #sizes: number[] = [];
  readonly #groupOf = new GrowableUint32();

  constructor(groupBy: readonly string[]) {
    this.#groupBy = groupBy;
  }

  /** Labels of each group, in the order of their numbers. */
  get groups(): readonly SeriesLabels[] {
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
  addGroup(values: string, definition: SeriesDefinition): SeriesLabels {
    const labels = groupLabels(definition, this.#groupBy);
    this.#byValues.set(values, this.#groups.length);
    this.#groups.push(labels);
    this.#sizes.push(0);
    return labels;
  }

  /** Notes the next series as one of this group, or of `noGroup`. */
  addSeries(group: number): void {
    this.#groupOf.push(group);
    if (group !== noGroup) this.#sizes[group]! += 1;
  }
}
