import { normaliseQuery, type ResolvedQuery } from '@nowcast/aggregate';
import { appError, type Query } from '@nowcast/contract';
import type { Unsubscribe } from '@nowcast/kernel';
import type { OffsetVector, OpenView, ViewFrame } from '@nowcast/ports';
import { FeedView } from './feed-view.ts';
import { GridView } from './grid-view.ts';
import { formatPosition, parsePosition } from './position.ts';
import { SeriesJoins } from './series-joins.ts';
import { defaultLiveLimits, type LiveLimits, type LiveSources, type Tick } from './sources.ts';

interface Entry {
  id: number;
  tenant: string;
  key: string;
  query: ResolvedQuery;
  view: GridView | FeedView;
  viewers: number;
  /** Settles when the view is loaded; every opener waits for it. */
  ready: Promise<void>;
  isReady: boolean;
  /** Takes its series from the view. */
  leave: Unsubscribe;
  cancelLinger: Unsubscribe | undefined;
  receivedAt: number;
  /** Position of the last change. */
  seq: string;
}

/** So far back, ms, a wall clock goes only when it is set; by less, a window lacks its oldest moments, and not for longer. */
const setBackMs = 2000;

export interface LiveStats {
  views: number;
  lingering: number;
  cells: number;
  reloads: number;
}

/**
 * All live views of one engine, keyed by (tenant, normalised query): a thousand viewers of one question cost one
 * computation and one encoded delta a tick.
 *
 * The engine calls `advance` once a tick with what arrived since the last one, and publishes the frames it returns.
 * Positions: `advance` moves the registry to the log vector of the tick; a view that is opened between two ticks loads
 * history at exactly that vector, and everything newer reaches it through the ticks that follow.
 *
 * A view without viewers lingers: it keeps folding points, so that a reload of the page finds it warm, but works out
 * no values until it is looked at again.
 */
export class LiveViewRegistry {
  readonly #sources: LiveSources;
  readonly #limits: LiveLimits;
  readonly #joins: SeriesJoins;
  readonly #byKey = new Map<string, Entry>();
  readonly #byId = new Map<number, Entry>();
  #at: OffsetVector;
  #nextId = 1;
  #reloads = 0;
  /** The wall clock at the last tick, epoch ms. */
  #tickedAt = Number.NEGATIVE_INFINITY;
  /** Views that were dropped while somebody watched, and their viewers do not know yet. */
  #ended: ViewFrame[] = [];

  /** `at`: the vector the engine stands at; history below it is `loadGrid`'s, the rest comes through `advance`. */
  constructor(sources: LiveSources, at: OffsetVector, limits: Partial<LiveLimits> = {}) {
    this.#sources = sources;
    this.#joins = new SeriesJoins(sources);
    this.#at = at;
    this.#limits = { ...defaultLiveLimits, ...limits };
  }

  /**
   * Opens or joins the view of a query; `note` is what its answer lacks, for people. Rejects with `query.invalid`,
   * `query.too_large`, `live.subscription_limit` or what loading rejects with.
   */
  async open(tenant: string, query: Query, note?: string): Promise<OpenView> {
    const resolved = normaliseQuery(query, this.#sources.clock.now());
    const key = `${tenant}\0${resolved.key}`;
    const entry = this.#byKey.get(key) ?? this.#create(tenant, key, resolved, note);
    // A view that nobody watched has kept its states but not its values; nobody waits for the delta either.
    if (entry.viewers === 0 && entry.isReady) this.#settle(entry);
    entry.viewers += 1;
    entry.cancelLinger?.();
    entry.cancelLinger = undefined;
    await entry.ready;
    return {
      view: entry.id,
      epoch: this.#sources.epoch,
      agg: entry.query.agg,
      stepMs: entry.query.stepMs,
    };
  }

  /** The view as `LiveViews.read` of the engine port says. Rejects with `request.not_found` for a view nobody opened. */
  read(view: number, since: { epoch: string; seq: string } | undefined): ViewFrame {
    const entry = this.#byId.get(view);
    if (entry === undefined || !entry.isReady)
      throw appError('request.not_found', `there is no open view ${view}; open it first`);
    return (since === undefined ? undefined : this.#resume(entry, since)) ?? this.#snapshot(entry);
  }

  /** One call for each `open`, also for one that was rejected by its caller's own doing; unknown views are ignored. */
  close(view: number): void {
    const entry = this.#byId.get(view);
    if (entry === undefined || entry.viewers === 0) return;
    entry.viewers -= 1;
    if (entry.viewers === 0) this.#linger(entry);
  }

  /**
   * Folds the new points into the views and returns the deltas of those that have viewers, and the end of those that
   * had to be dropped. Run it at least once a second, also without points: windows slide and rankings settle on it.
   *
   * Other work of the thread may run at a `yield`, but nothing may be asked of the views before it has ended: some have
   * points then that others have not.
   */
  *advance(tick: Tick): Generator<void, ViewFrame[]> {
    yield* this.#fold(tick);
    this.#at = tick.at;
    this.#noteClock();
    const frames: ViewFrame[] = [];
    for (const entry of this.#byId.values()) {
      if (tick.receivedAt > 0) entry.receivedAt = tick.receivedAt;
      if (!entry.isReady || entry.viewers === 0) continue;
      try {
        const frame = this.#settle(entry);
        if (frame !== undefined) frames.push(frame);
        // Refused if it were opened now. Its viewers, who open it again, are told why.
        if (entry.view.isTooLarge) this.#end(entry);
      } catch (error) {
        // One view that cannot be worked out must not take the engine and everybody else's views with it.
        this.#sources.onDefect(error, `view ${entry.key} was dropped`);
        this.#end(entry);
      }
      yield;
    }
    frames.push(...this.#ended.splice(0));
    return frames;
  }

  /** Whether the counters of a view that is watched got late points, and it may be loaded anew by now. */
  get wantsReload(): boolean {
    for (const { view, isReady, viewers } of this.#byId.values())
      if (isReady && viewers > 0 && view.wantsReload) return true;
    return false;
  }

  /** Begins to load those views anew; like `open`, when everything applied has reached the views. */
  reload(): void {
    for (const entry of this.#byId.values()) {
      const { view, isReady, viewers } = entry;
      if (!isReady || viewers === 0 || !view.wantsReload) continue;
      this.#reloads += 1;
      // A failed one leaves the view as it was; it is tried again when the view next wants it.
      view.load(this.#at).catch(() => undefined);
    }
  }

  /** Points that were folded into some views and not into others would be seen twice or never: all start afresh. */
  *#fold(tick: Tick): Generator<void, void> {
    try {
      yield* this.#joins.fold(tick);
    } catch (error) {
      this.#sources.onDefect(error, 'every live view was dropped');
      for (const entry of this.#byId.values()) this.#end(entry);
    }
  }

  /** Windows never slide back: once the clock was set back they would take no point until it has caught up. */
  #noteClock(): void {
    const now = this.#sources.clock.now();
    const wasSetBack = now < this.#tickedAt - setBackMs;
    this.#tickedAt = now;
    if (!wasSetBack) return;
    for (const entry of this.#byId.values()) if (entry.query.range.kind === 'sliding') this.#end(entry);
  }

  stats(): LiveStats {
    let cells = 0;
    let lingering = 0;
    for (const { view, viewers } of this.#byId.values()) {
      if (view instanceof GridView) cells += view.grid.cellCount;
      if (viewers === 0) lingering += 1;
    }
    return { views: this.#byId.size, lingering, cells, reloads: this.#reloads };
  }

  /** Drops every view. */
  stop(): void {
    for (const entry of this.#byId.values()) this.#drop(entry);
  }

  #create(tenant: string, key: string, query: ResolvedQuery, note: string | undefined): Entry {
    this.#makeRoom(tenant);
    const view =
      query.agg === 'none'
        ? new FeedView(tenant, query, this.#sources)
        : new GridView(tenant, query, this.#sources, this.#limits, note);
    const entry: Entry = {
      id: this.#nextId,
      tenant,
      key,
      query,
      view,
      viewers: 0,
      ready: Promise.resolve(),
      isReady: false,
      leave: this.#joins.join(tenant, view),
      cancelLinger: undefined,
      receivedAt: 0,
      seq: '',
    };
    entry.seq = this.#positionOf(entry);
    this.#nextId += 1;
    this.#byKey.set(key, entry);
    this.#byId.set(entry.id, entry);
    entry.ready = this.#load(entry);
    return entry;
  }

  /** Throws `live.subscription_limit` when no further view may be opened, for the tenant or at all. */
  #makeRoom(tenant: string): void {
    const { views, viewsPerTenant } = this.#limits;
    let own = 0;
    for (const entry of this.#byId.values()) if (entry.tenant === tenant) own += 1;
    const isMost = own >= viewsPerTenant && !this.#dropOldestLingering(tenant);
    if (!isMost && (this.#byId.size < views || this.#dropOldestLingering())) return;
    throw appError(
      'live.subscription_limit',
      `${isMost ? viewsPerTenant : views} live views are open and no more may be; close some panels`,
    );
  }

  async #load(entry: Entry): Promise<void> {
    try {
      await entry.view.load(this.#at);
      entry.isReady = true;
      this.#settle(entry);
    } catch (error) {
      this.#drop(entry);
      throw error;
    }
  }

  #settle(entry: Entry): ViewFrame | undefined {
    const baseSeq = entry.seq;
    const delta = entry.view.settle(entry.receivedAt);
    const { receivedAt } = entry;
    entry.receivedAt = 0;
    if (delta === undefined) return undefined;
    const seq = this.#positionOf(entry);
    entry.seq = seq;
    if (entry.viewers === 0) return undefined;
    const body = delta.encode(baseSeq, seq);
    return { view: entry.id, kind: 'delta', baseSeq, seq, recovered: true, receivedAt, body };
  }

  #resume(entry: Entry, since: { epoch: string; seq: string }): ViewFrame | undefined {
    const position = parsePosition(since.seq);
    const known =
      position !== undefined &&
      since.epoch === this.#sources.epoch &&
      position.instance === this.#sources.instance &&
      position.view === entry.id &&
      position.revision <= entry.view.revision;
    if (!known) return undefined;
    const { seq } = entry;
    const body = entry.view.changesSince(position.revision, since.seq, seq);
    if (body === undefined) return undefined;
    return {
      view: entry.id,
      kind: 'delta',
      baseSeq: since.seq,
      seq,
      recovered: true,
      receivedAt: 0,
      body,
    };
  }

  /** Made anew for each who asks, since a window slides without news too; gateways ask once for a crowd. */
  #snapshot(entry: Entry): ViewFrame {
    const { id, seq, view } = entry;
    const body = view.snapshot(seq);
    return { view: id, kind: 'snapshot', baseSeq: '', seq, recovered: false, receivedAt: 0, body };
  }

  #positionOf(entry: Entry): string {
    const { instance } = this.#sources;
    return formatPosition({ instance, view: entry.id, revision: entry.view.revision }, this.#at);
  }

  #linger(entry: Entry): void {
    entry.cancelLinger = this.#sources.clock.after(this.#limits.lingerMs, () => this.#drop(entry));
    let lingering = 0;
    for (const { viewers } of this.#byId.values()) if (viewers === 0) lingering += 1;
    if (lingering > this.#limits.lingering) this.#dropOldestLingering();
  }

  #dropOldestLingering(tenant?: string): boolean {
    for (const entry of this.#byId.values()) {
      if (entry.viewers > 0 || (tenant !== undefined && entry.tenant !== tenant)) continue;
      this.#drop(entry);
      return true;
    }
    return false;
  }

  /** Drops a view of which somebody may be waiting for news. */
  #end(entry: Entry): void {
    this.#drop(entry);
    if (entry.viewers === 0) return;
    const nothing = { baseSeq: '', seq: '', recovered: false, receivedAt: 0, body: new Uint8Array(0) };
    this.#ended.push({ view: entry.id, kind: 'ended', ...nothing });
  }

  #drop(entry: Entry): void {
    entry.leave();
    entry.cancelLinger?.();
    this.#byId.delete(entry.id);
    if (this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key);
  }
}
