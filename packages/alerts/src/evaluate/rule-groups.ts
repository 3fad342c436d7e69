import { groupLabels, groupValues, labelText, labelValues } from '@nowcast/aggregate';
import type { SeriesDefinition } from '@nowcast/contract';
import { createBaseline } from './baselines.ts';
import { Group } from './group.ts';
import type { RulePlan } from './plan.ts';

/** Groups a rule may have; series of further ones are not watched, and the rule says so. */
export const mostGroups = 10_000;

/** The groups of one rule, found by name, by place and by what a series is. */
export class RuleGroups {
  readonly #plan: RulePlan;
  readonly #byName = new Map<string, Group>();
  /** By the values of their labels in the order of `groupBy`. */
  readonly #byValues = new Map<string, Group>();
  /** Stale where a place is free. */
  readonly #byPlace: Group[] = [];
  readonly #freePlaces: number[] = [];

  constructor(plan: RulePlan) {
    this.#plan = plan;
  }

  get byName(): ReadonlyMap<string, Group> {
    return this.#byName;
  }

  at(place: number): Group {
    return this.#byPlace[place]!;
  }

  /** The group of a series; undefined when there is no room for it. */
  ofSeries(definition: SeriesDefinition): Group | undefined {
    const { groupBy } = this.#plan;
    const group = this.#byValues.get(groupValues(definition, groupBy));
    if (group !== undefined || this.#byName.size >= mostGroups) return group;
    const labels = groupLabels(definition, groupBy);
    return this.#add(labelText(labels), labels);
  }

  /** The group of that name, new when there is none; undefined when there is no room for it. */
  named(name: string, labels: Readonly<Record<string, string>>): Group | undefined {
    const group = this.#byName.get(name);
    return group !== undefined || this.#byName.size >= mostGroups ? group : this.#add(name, labels);
  }

  /** Its place is for another from now on. */
  remove({ name, labels, place }: Group): void {
    this.#byName.delete(name);
    this.#byValues.delete(labelValues(labels, this.#plan.groupBy));
    this.#freePlaces.push(place);
  }

  #add(name: string, labels: Readonly<Record<string, string>>): Group {
    const place = this.#freePlaces.pop() ?? this.#byPlace.length;
    const group = new Group(name, labels, place, createBaseline(this.#plan));
    this.#byName.set(name, group);
    this.#byValues.set(labelValues(labels, this.#plan.groupBy), group);
    this.#byPlace[place] = group;
    return group;
  }
}
