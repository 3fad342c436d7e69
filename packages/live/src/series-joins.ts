import type { ResolvedQuery } from '@nowcast/aggregate';
import type { Unsubscribe } from '@nowcast/kernel';
import { FeedView } from './feed-view.ts';
import { FoldCohort } from './fold-cohort.ts';
import type { GridView } from './grid-view.ts';
import { MatchingSeries, type SeriesFollower } from './matching-series.ts';
import { OwnSeries } from './own-series.ts';
import { SeriesWatchers } from './series-watchers.ts';
import type { LiveSources, Tick } from './sources.ts';
import { stepName } from './watch-node.ts';

/**
 * Which series each view has, and the way of their points to it.
 *
 * ```
 *   engine ─► MatchingSeries    one a (tenant, metric, where)
 *               ├─► FoldCohort  one a (grouping, step): tells its views of new groups ─► GridView …
 *               ├─► OwnSeries   one a view that keeps each series on its own          ─► GridView
 *               └─► FeedView
 * ```
 *
 * Were every view told of every series, a new one would cost a look-up and an entry a view, and a view opened beside
 * others of its kind a walk through all series.
 */
export class SeriesJoins {
  readonly #sources: LiveSources;
  readonly #watchers = new SeriesWatchers();
  readonly #matching = new Map<string, MatchingSeries>();
  readonly #cohorts = new Set<FoldCohort>();
  /** The cohort that a view of this name may join. */
  readonly #cohortOf = new Map<string, FoldCohort>();

  constructor(sources: LiveSources) {
    this.#sources = sources;
  }

  /** Gives a view its series, until it leaves. Throws `query.invalid` for a bad regular expression. */
  join(tenant: string, view: GridView | FeedView): Unsubscribe {
    if (view instanceof FeedView) return this.#joinFeed(tenant, view);
    return view.grid.perSeries ? this.#joinAlone(tenant, view) : this.#joinCohort(tenant, view);
  }

  /** Folds the new points into the views; no view may be opened between two slices. */
  *fold(tick: Tick): Generator<void, void> {
    yield* this.#watchers.fold(tick);
    for (const cohort of this.#cohorts) if (cohort.isPending) cohort.flush();
  }

  #joinFeed(tenant: string, feed: FeedView): Unsubscribe {
    const matching = this.#matchingOf(tenant, feed.query);
    const unlink = () => {
      for (const handle of matching.handles) this.#watchers.unlink(handle, feed);
    };
    const addSeries: SeriesFollower['addSeries'] = (handle, definition) => {
      feed.addSeries(handle, definition);
      this.#watchers.linkFeed(handle, feed);
      return true;
    };
    const unfollow = matching.follow({ addSeries }, unlink);
    return () => {
      unfollow();
      unlink();
    };
  }

  #joinAlone(tenant: string, view: GridView): Unsubscribe {
    const matching = this.#matchingOf(tenant, view.query);
    const series = new OwnSeries(view, matching, this.#watchers);
    view.attach(series);
    const unfollow = matching.follow(series, () => series.unlink());
    return () => {
      unfollow();
      series.unlink();
    };
  }

  #joinCohort(tenant: string, view: GridView): Unsubscribe {
    const { metricType, where, groupBy, buckets } = view.query;
    const name = JSON.stringify([tenant, metricType, where, groupBy, stepName(buckets)]);
    const cohort = this.#enter(name, tenant, view);
    return () => {
      cohort.leave(view);
      if (!cohort.isEmpty) return;
      this.#cohorts.delete(cohort);
      if (this.#cohortOf.get(name) === cohort) this.#cohortOf.delete(name);
    };
  }

  #enter(name: string, tenant: string, view: GridView): FoldCohort {
    const known = this.#cohortOf.get(name);
    if (known?.isComplete === true) {
      known.join(view);
      return known;
    }
    const cohort = new FoldCohort(view, this.#matchingOf(tenant, view.query), this.#watchers);
    this.#cohorts.add(cohort);
    this.#cohortOf.set(name, cohort);
    return cohort;
  }

  #matchingOf(tenant: string, query: ResolvedQuery): MatchingSeries {
    const key = JSON.stringify([tenant, query.metricType, query.where]);
    let matching = this.#matching.get(key);
    if (matching === undefined) {
      matching = new MatchingSeries(
        (onSeries) => this.#sources.watchSeries(tenant, query, onSeries),
        (handle) => this.#sources.definitionOf(handle),
        () => this.#matching.delete(key),
      );
      this.#matching.set(key, matching);
    }
    return matching;
  }
}
