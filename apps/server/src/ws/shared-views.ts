import type { Query } from '@nowcast/contract';
import type { LiveViews } from '@nowcast/ports';
import type { Cohort, Position, SharedView } from './connection.ts';
import { EncodedFrame } from './encoded-frame.ts';

/** A window slides without news too, so a kept snapshot serves a crowd that arrives together and nobody later. */
const freshMs = 500;
/** Spellings of one query that are remembered: while one viewer keeps it open, another could invent them without end. */
const mostSpellings = 16;

/**
 * Opens each query once however many viewers ask, and reads each position once however many are behind at it. Ten
 * thousand sockets that come back after a restart with the same board cost the engine one open and one read a panel.
 */
export class SharedViews {
  readonly #live: LiveViews;
  readonly #byKey = new Map<string, Promise<SharedView>>();
  readonly #byNumber = new Map<number, SharedView>();
  readonly #now: () => number;
  readonly #reads = new Map<string, Promise<EncodedFrame>>();
  #epoch = '';

  constructor(live: LiveViews, now: () => number) {
    this.#live = live;
    this.#now = now;
  }

  /** Rejects like `LiveViews.open`. Each resolved call needs one `release`. */
  async acquire(tenant: string, query: Query): Promise<SharedView> {
    const key = JSON.stringify([tenant, query]);
    let opening = this.#byKey.get(key);
    if (opening === undefined) {
      opening = this.#open(key, tenant, query);
      this.#byKey.set(key, opening);
    }
    const view = await opening;
    // Everybody left between the opening and now: that view is closed already.
    if (this.#byNumber.get(view.view) !== view) return this.acquire(tenant, query);
    view.users++;
    return view;
  }

  async #open(key: string, tenant: string, query: Query): Promise<SharedView> {
    try {
      const opened = await this.#live.open(tenant, query);
      this.#epoch = opened.epoch;
      const existing = this.#byNumber.get(opened.view);
      // Two spellings of one query are one view of the engine, but were opened twice.
      if (existing !== undefined) {
        this.#live.close(opened.view);
        if (existing.keys.length < mostSpellings) existing.keys.push(key);
        else this.#byKey.delete(key);
        return existing;
      }
      const view = {
        ...opened,
        keys: [key],
        users: 0,
        seq: '',
        cohorts: new Set<Cohort>(),
        fresh: undefined,
      };
      this.#byNumber.set(view.view, view);
      return view;
    } catch (error) {
      this.#byKey.delete(key);
      throw error;
    }
  }

  release(view: SharedView): void {
    if (--view.users > 0) return;
    for (const key of view.keys) this.#byKey.delete(key);
    this.#byNumber.delete(view.view);
    this.#live.close(view.view);
  }

  /** The engine let go of it: whoever asks for the query from now on opens another. Its users release it as ever. */
  forget(view: SharedView): void {
    for (const key of view.keys.splice(0)) this.#byKey.delete(key);
    this.#byNumber.delete(view.view);
  }

  get(view: number): SharedView | undefined {
    return this.#byNumber.get(view);
  }

  /** Epoch of the view opened last; empty before the first. */
  get epoch(): string {
    return this.#epoch;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  /** A snapshot that is as good as one read now; it holds for this turn only, since the next may bring a delta. */
  freshSnapshot(view: SharedView): EncodedFrame | undefined {
    const { fresh } = view;
    return fresh !== undefined && this.#now() - fresh.readAt < freshMs ? fresh.snapshot : undefined;
  }

  /** Lets go of snapshots that nobody will be given any more. */
  sweep(): void {
    for (const view of this.#byNumber.values()) {
      if (this.freshSnapshot(view) === undefined) view.fresh = undefined;
    }
  }

  /** One answer, encoded once, for everybody who asks for the same stretch at about the same time. */
  read(view: SharedView, since: Position): Promise<EncodedFrame> {
    const key = `${view.view}/${since === undefined ? '' : `${since.epoch}/${since.seq}`}`;
    let reading = this.#reads.get(key);
    if (reading === undefined) {
      reading = this.#read(view, since).finally(() => this.#reads.delete(key));
      this.#reads.set(key, reading);
    }
    return reading;
  }

  async #read(view: SharedView, since: Position): Promise<EncodedFrame> {
    const frame = new EncodedFrame(await this.#live.read(view.view, since), view.epoch);
    if (since === undefined) view.fresh = { snapshot: frame, readAt: this.#now() };
    return frame;
  }
}
