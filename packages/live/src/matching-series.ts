import type { SeriesDefinition } from '@nowcast/contract';
import { GrowableUint32, type Unsubscribe } from '@nowcast/kernel';

/** Who is told of the series. */
export interface SeriesFollower {
  /** A series that matches; called once for each, before its points. False: no further one is of any use. */
  addSeries(handle: number, definition: SeriesDefinition): boolean;
}

type DefinitionOf = (handle: number) => SeriesDefinition;
type Watch = (onSeries: (handle: number, definition: SeriesDefinition) => void) => Unsubscribe;

/**
 * The series of one metric that satisfy one `where`, listed once for all views that ask for them: a new series is
 * tested and noted once, however many views there are, and those that have no room left do not hear of it at all.
 */
export class MatchingSeries {
  readonly #watch: Watch;
  readonly #definitionOf: DefinitionOf;
  readonly #onEmpty: () => void;
  readonly #handles = new GrowableUint32();
  readonly #followers = new Set<SeriesFollower>();
  /** Those of the followers that want to hear of further series. */
  readonly #listening = new Set<SeriesFollower>();
  #unwatch: Unsubscribe | undefined;

  /** `watch` is `LiveSources.watchSeries` of these series; `onEmpty` is called when the last follower has gone. */
  constructor(watch: Watch, definitionOf: DefinitionOf, onEmpty: () => void) {
    this.#watch = watch;
    this.#definitionOf = definitionOf;
    this.#onEmpty = onEmpty;
  }

  /** In the order in which followers hear of them; valid until the next one comes. */
  get handles(): Uint32Array {
    return this.#handles.view();
  }

  get count(): number {
    return this.#handles.length;
  }

  /**
   * Tells the follower of every series, at once of those that exist. Throws `query.invalid` for a bad expression, and
   * what the follower throws: `undo` is called then, for what it has done so far.
   */
  follow(follower: SeriesFollower, undo: () => void): Unsubscribe {
    this.#followers.add(follower);
    this.#listening.add(follower);
    try {
      if (this.#unwatch !== undefined) this.#repeatTo(follower);
      else this.#unwatch = this.#watch((handle, definition) => this.#add(handle, definition));
    } catch (error) {
      undo();
      this.#leave(follower);
      throw error;
    }
    return () => this.#leave(follower);
  }

  #add(handle: number, definition: SeriesDefinition): void {
    this.#handles.push(handle);
    for (const follower of this.#listening)
      if (!follower.addSeries(handle, definition)) this.#listening.delete(follower);
  }

  /** Definitions are not kept here. */
  #repeatTo(follower: SeriesFollower): void {
    for (const handle of this.handles) {
      if (follower.addSeries(handle, this.#definitionOf(handle))) continue;
      this.#listening.delete(follower);
      return;
    }
  }

  #leave(follower: SeriesFollower): void {
    this.#listening.delete(follower);
    if (!this.#followers.delete(follower) || this.#followers.size > 0) return;
    this.#unwatch?.();
    this.#onEmpty();
  }
}
