/**
 * Decides which points of a request are new, before they go to the log.
 *
 * Three places hold what was taken already: the state that follows from the log (`dedupe-state.ts`, the points in
 * memory behind `RecentPoints`), the batches on their way into the log, and the request itself. A batch on its way is
 * not a fact yet: if its append fails, nothing of it may be remembered, and a request that dropped a point because of
 * it must fail too. So batches stand in a queue beside the state, leave it in order, and a duplicate found there is
 * reported as *depending* on them.
 *
 * Line protocol knows no ids: equal (series, time, value) is a retry, unless the time is the server's own: a retry would
 * have got a later one, and two events of one millisecond are two. Nearly every point is newer than anything its
 * series has, so one comparison decides; the exact question is only put for the others.
 */
import type { PointExtras } from '@nowcast/contract';
import type { RecentPoints, SeriesRegistry } from '@nowcast/head';
import type { DedupeState } from './dedupe-state.ts';
import { Fingerprint } from './fingerprint.ts';
import { IdWindow } from './id-window.ts';
import type { PointColumns } from './point-columns.ts';
import { PointSet } from './point-set.ts';

/** Ids in flight are bounded by the queue, not by the window. */
const unbounded = Number.MAX_SAFE_INTEGER;

/** A request's points on their way into the log. */
export interface InFlight {
  tenant: string;
  columns: PointColumns;
  /** No point of the batch has an event time outside of these. */
  from: number;
  to: number;
  set: PointSet;
  /** Fingerprints it put beside the window. */
  ids: number;
}

export interface DedupeResult {
  /** To be handed to `enter` when the batch goes to the log. */
  batch: InFlight;
  duplicates: number;
  /** A duplicate was found in a batch that is not durable yet. */
  depends: boolean;
}

export class RequestDedupe {
  readonly #state: DedupeState;
  readonly #registry: SeriesRegistry;
  readonly #recent: RecentPoints;
  readonly #fingerprint = new Fingerprint();
  readonly #inFlight: InFlight[] = [];
  readonly #inFlightIds = new Map<string, IdWindow>();
  /** Newest time seen of each handle, in flight or taken; NaN: not asked yet. May be too high, never too low. */
  #newest = new Float64Array(1024).fill(Number.NaN);
  #depends = false;
  /** Batch in which a series was seen last, and the newest time it had there; kept once a point is not the newest. */
  #seenIn = new Uint32Array(1024);
  #newestIn = new Float64Array(1024);
  #batch = 0;

  constructor(state: DedupeState, registry: SeriesRegistry, recent: RecentPoints) {
    this.#state = state;
    this.#registry = registry;
    this.#recent = recent;
  }

  /** Removes what was taken before from the columns. `equalIsRetry`: also points without an id (line protocol). */
  run(tenant: string, columns: PointColumns, now: number, equalIsRetry: boolean): DedupeResult {
    this.#depends = false;
    const batch: InFlight = {
      tenant,
      columns,
      from: Infinity,
      to: -Infinity,
      set: new PointSet(columns),
      ids: 0,
    };
    const extras = columns.extras();
    const dropped: number[] = [];
    if (extras !== undefined) this.#dropKnownIds(batch, extras, now, equalIsRetry, dropped);
    columns.remove(dropped);
    let duplicates = dropped.length;
    dropped.length = 0;
    if (equalIsRetry) this.#dropEqual(batch, dropped);
    else this.#noteNewest(batch);
    columns.remove(dropped);
    duplicates += dropped.length;
    // Rows moved up: what was indexed meanwhile names other rows now.
    if (dropped.length > 0) batch.set = new PointSet(columns);
    return { batch, duplicates, depends: this.#depends };
  }

  /** The batch is on its way; batches leave in the order they entered. */
  enter(batch: InFlight): void {
    this.#inFlight.push(batch);
  }

  /** The oldest batch is durable and applied, or will never be. */
  leave(): void {
    const batch = this.#inFlight.shift();
    if (batch === undefined || batch.ids === 0) return;
    const ids = this.#inFlightIds.get(batch.tenant);
    ids?.dropOldest(batch.ids);
    if (ids?.size === 0) this.#inFlightIds.delete(batch.tenant);
  }

  #dropKnownIds(batch: InFlight, extras: PointExtras, now: number, texts: boolean, dropped: number[]): void {
    for (let i = 0; i < extras.rows.length; i++) {
      const row = extras.rows[i]!;
      const dataId = extras.dataIds[i];
      const message = extras.messages[i];
      if (dataId !== undefined) this.#fingerprint.ofDataId(dataId);
      else if (message !== undefined && texts && !batch.columns.isUntimed(row))
        this.#fingerprintOfText(batch.columns, row, message);
      else continue;
      if (this.#isKnown(batch.tenant, dataId === undefined, now)) dropped.push(row);
      else this.#noteId(batch, now);
    }
  }

  #fingerprintOfText(columns: PointColumns, row: number, message: string): void {
    const handle = columns.series[row]!;
    const local = this.#registry.localOf(handle);
    this.#fingerprint.ofMessage(this.#registry.partitionOf(handle), local, columns.timestamps[row]!, message);
  }

  #isKnown(tenant: string, isText: boolean, now: number): boolean {
    const { high, low } = this.#fingerprint;
    const state = this.#state;
    if (isText ? state.hasText(tenant, high, low, now) : state.hasId(tenant, high, low, now)) return true;
    if (this.#inFlightIds.get(tenant)?.has(high, low, now) !== true) return false;
    // It may be one of this very request; then waiting for the others is merely needless.
    this.#depends = this.#inFlight.length > 0;
    return true;
  }

  #noteId(batch: InFlight, now: number): void {
    let ids = this.#inFlightIds.get(batch.tenant);
    if (ids === undefined) {
      ids = new IdWindow(unbounded, unbounded);
      this.#inFlightIds.set(batch.tenant, ids);
    }
    ids.add(this.#fingerprint.high, this.#fingerprint.low, now);
    batch.ids++;
  }

  #dropEqual(batch: InFlight, dropped: number[]): void {
    const { columns } = batch;
    const { series, timestamps, length } = columns;
    const texts = columns.hasExtras ? textRows(columns) : undefined;
    this.#batch++;
    let isNoting = false;
    let { from, to } = batch;
    for (let row = 0; row < length; row++) {
      const handle = series[row]!;
      if (handle >= this.#newest.length) this.#growNewest(handle);
      const timestamp = timestamps[row]!;
      if (timestamp < from) from = timestamp;
      if (timestamp > to) to = timestamp;
      if (timestamp > this.#newest[handle]!) this.#newest[handle] = timestamp;
      else {
        if (!isNoting) for (let i = 0; i < row; i++) this.#note(series[i]!, timestamps[i]!);
        isNoting = true;
        if (this.#isTaken(batch, row) && texts?.has(row) !== true) dropped.push(row);
      }
      if (isNoting) this.#note(handle, timestamp);
    }
    batch.from = from;
    batch.to = to;
  }

  #note(handle: number, timestamp: number): void {
    if (this.#seenIn[handle] === this.#batch && this.#newestIn[handle]! >= timestamp) return;
    this.#seenIn[handle] = this.#batch;
    this.#newestIn[handle] = timestamp;
  }

  /** The exact question, for a point that is not newer than all others of its series. */
  #isTaken(batch: InFlight, row: number): boolean {
    const handle = batch.columns.series[row]!;
    const timestamp = batch.columns.timestamps[row]!;
    const value = batch.columns.values[row]!;
    if (Number.isNaN(this.#newest[handle]!)) {
      const newest = this.#recent.newestOf(handle);
      this.#newest[handle] = Math.max(newest, timestamp);
      if (timestamp > newest) return false;
    }
    if (batch.columns.isUntimed(row)) return false;
    // Senders that take turns are late by a whole batch: its points are newer than all it brought itself.
    const mayRepeat = this.#seenIn[handle] === this.#batch && this.#newestIn[handle]! >= timestamp;
    if (mayRepeat && batch.set.has(row, handle, timestamp, value)) return true;
    for (const other of this.#inFlight) {
      if (timestamp < other.from || timestamp > other.to) continue;
      if (!other.set.has(other.columns.length, handle, timestamp, value)) continue;
      this.#depends = true;
      return true;
    }
    return this.#recent.has(handle, timestamp, value);
  }

  #noteNewest(batch: InFlight): void {
    const { series, timestamps, length } = batch.columns;
    for (let row = 0; row < length; row++) {
      const handle = series[row]!;
      if (handle >= this.#newest.length) this.#growNewest(handle);
      const newest = this.#newest[handle]!;
      const timestamp = timestamps[row]!;
      if (timestamp < batch.from) batch.from = timestamp;
      if (timestamp > batch.to) batch.to = timestamp;
      if (timestamp > newest) this.#newest[handle] = timestamp;
      else if (Number.isNaN(newest)) {
        this.#newest[handle] = Math.max(this.#recent.newestOf(handle), timestamp);
      }
    }
  }

  #growNewest(handle: number): void {
    const grown = new Float64Array(Math.max(this.#newest.length * 2, handle + 1)).fill(Number.NaN);
    grown.set(this.#newest);
    this.#newest = grown;
    const seenIn = new Uint32Array(grown.length);
    seenIn.set(this.#seenIn);
    this.#seenIn = seenIn;
    const newestIn = new Float64Array(grown.length);
    newestIn.set(this.#newestIn);
    this.#newestIn = newestIn;
  }
}

/** Rows whose text was compared already, by its fingerprint: two texts of one moment are two points. */
function textRows(columns: PointColumns): Set<number> {
  const extras = columns.extras();
  const rows = new Set<number>();
  extras?.messages.forEach((message, i) => {
    if (message !== undefined) rows.add(extras.rows[i]!);
  });
  return rows;
}
