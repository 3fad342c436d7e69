import type { SeriesDefinition } from '@nowcast/contract';
import { assert, GrowableUint32 } from '@nowcast/kernel';
import type { GridView } from './grid-view.ts';
import type { MatchingSeries, SeriesFollower } from './matching-series.ts';
import type { SeriesWatchers } from './series-watchers.ts';
import type { SeriesSelection, ViewSeries } from './view-series.ts';

/** The series of a view that keeps each on its own: they take its units in order. */
export class OwnSeries implements SeriesFollower, ViewSeries {
  readonly #view: GridView;
  readonly #matching: MatchingSeries;
  readonly #watchers: SeriesWatchers;
  /** The series of each unit. */
  readonly #handles = new GrowableUint32();

  constructor(view: GridView, matching: MatchingSeries, watchers: SeriesWatchers) {
    this.#view = view;
    this.#matching = matching;
    this.#watchers = watchers;
  }

  addSeries(handle: number, definition: SeriesDefinition): boolean {
    const unit = this.#view.addSeries(definition);
    if (unit < 0) return !this.#view.isFull;
    assert(unit === this.#handles.length, 'units are numbered as they come');
    this.#handles.push(handle);
    this.#watchers.link(handle, this.#view.query.buckets, this.#view, unit);
    return true;
  }

  selection(): SeriesSelection {
    const handles = this.#handles.view().slice();
    return { handles, units: Uint32Array.from(handles.keys()) };
  }

  leftOut(): number {
    return this.#matching.count - this.#handles.length;
  }

  unlink(): void {
    for (const handle of this.#handles.view()) this.#watchers.unlink(handle, this.#view);
  }
}
