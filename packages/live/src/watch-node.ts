import { type Buckets, type PartSet, stepKey } from '@nowcast/aggregate';
import type { FeedView } from './feed-view.ts';
import { type Sink, unionOf } from './sink.ts';
import type { RunWants } from './sources.ts';

/** Views that cut a series' points into the same buckets. */
export interface WatchStep {
  key: string;
  buckets: Buckets;
  targets: readonly { sink: Sink; unit: number }[];
  /** What any of the targets keeps; brought up to date by `refresh`. */
  parts: PartSet;
}

/**
 * Who watches a series, and as which unit. Immutable and shared: a million series of one group that the same views
 * watch have one node between them, reached by the same additions (as hidden classes of objects are), so that opening
 * a view over all of them costs a look-up and a pointer each. The links between nodes hold on to nobody: a view that is
 * gone takes its nodes along.
 */
export class WatchNode {
  readonly steps: readonly WatchStep[];
  readonly feeds: readonly FeedView[];
  /** What a run of such a series must be read with. */
  wants: RunWants = { actors: false, records: false };
  /** What any of the steps keeps; brought up to date by `refresh`. */
  parts: PartSet = unionOf([]);
  #with: WeakMap<object, Map<number, WatchNode>> | undefined;
  #without: WeakMap<object, WatchNode> | undefined;
  #version = -1;

  constructor(steps: readonly WatchStep[], feeds: readonly FeedView[]) {
    this.steps = steps;
    this.feeds = feeds;
  }

  get isEmpty(): boolean {
    return this.steps.length === 0 && this.feeds.length === 0;
  }

  withSink(buckets: Buckets, sink: Sink, unit: number): WatchNode {
    const make = () => this.#extended(buckets, sink, unit);
    // Nobody would ever come by again.
    return sink.sharesUnits ? this.#link(sink, unit, make) : make();
  }

  withFeed(feed: FeedView): WatchNode {
    return this.#link(feed, 0, () => new WatchNode(this.steps, [...this.feeds, feed]));
  }

  without(gone: Sink | FeedView): WatchNode {
    this.#without ??= new WeakMap();
    let node = this.#without.get(gone);
    if (node === undefined) {
      const steps = this.steps
        .map((step) => ({ ...step, targets: step.targets.filter(({ sink }) => sink !== gone) }))
        .filter(({ targets }) => targets.length > 0);
      node = new WatchNode(
        steps,
        this.feeds.filter((feed) => feed !== gone),
      );
      this.#without.set(gone, node);
    }
    return node;
  }

  /** Once for each `version`: cohorts change what they need as views join and leave them. */
  refresh(version: number): void {
    if (this.#version === version) return;
    this.#version = version;
    for (const step of this.steps) step.parts = unionOf(step.targets.map(({ sink }) => sink.parts));
    this.parts = unionOf(this.steps.map(({ parts }) => parts));
    this.wants = {
      actors: this.parts.uniques || this.feeds.length > 0,
      records: this.feeds.length > 0,
    };
  }

  #extended(buckets: Buckets, sink: Sink, unit: number): WatchNode {
    const key = stepName(buckets);
    const target = { sink, unit };
    const known = this.steps.some((step) => step.key === key);
    const steps = this.steps.map((step) =>
      step.key === key ? { ...step, targets: [...step.targets, target] } : step,
    );
    if (!known) steps.push({ key, buckets, targets: [target], parts: sink.parts });
    return new WatchNode(steps, this.feeds);
  }

  #link(key: object, unit: number, make: () => WatchNode): WatchNode {
    this.#with ??= new WeakMap();
    let byUnit = this.#with.get(key);
    if (byUnit === undefined) {
      byUnit = new Map();
      this.#with.set(key, byUnit);
    }
    let node = byUnit.get(unit);
    if (node === undefined) {
      node = make();
      byUnit.set(unit, node);
    }
    return node;
  }
}

/** Unique text of a way to cut time; the zone only matters to calendars. */
export function stepName({ step, tz }: Buckets): string {
  return step.kind === 'fixed' ? stepKey(step) : `${stepKey(step)} ${tz}`;
}
