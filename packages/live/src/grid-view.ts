import {
  otherLabels,
  type PartSet,
  QueryGrid,
  rangeNow,
  type ResolvedQuery,
  type StateGrid,
} from '@nowcast/aggregate';
import {
  type AggName,
  encodeDeltaBody,
  encodeSnapshotBody,
  limits as wireLimits,
  type SeriesDefinition,
  type SeriesLabels,
} from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { OffsetVector } from '@nowcast/ports';
import { bucketsNow, hasOutgrown, refuseTooManyCells, refuseTooManyGroups, Room } from './budget.ts';
import { DirtyCells } from './dirty-cells.ts';
import type { LiveLimits, LiveSources } from './sources.ts';
import type { DeltaFrame, View } from './view.ts';
import { type Line, ViewLines } from './view-lines.ts';
import type { ViewSeries } from './view-series.ts';

/** Below this many cells a ranking is worked out at every tick; beyond, the less often the more there are. */
const freelyRankedCells = 20_000;
const rankIntervalMs = 50;

/**
 * A live view of buckets. Three layers, each cheap to bring up to date from the one above:
 *
 * ```
 *   points ─► QueryGrid   mergeable state of each (unit, bucket)          every tick, touched cells only
 *          ─► DirtyCells  which (group, bucket) changed                    …
 *          ─► ViewLines   the value viewers were told, with a revision     → one delta
 * ```
 *
 * Opening loads history at one log position while newer points keep coming: those go into a grid of their own, which
 * is merged when the load is done. Nothing is lost and nothing is counted twice, however long the load takes.
 *
 * A counter that gets a point inside what one of its cells already covers cannot be corrected from merged states: the
 * view reloads (not more often than `reloadMs`) and viewers get the corrected cells as a delta; until then the cell
 * keeps its last value.
 */
export class GridView implements View {
  readonly query: ResolvedQuery & { agg: AggName };
  readonly #tenant: string;
  readonly #sources: LiveSources;
  readonly #limits: LiveLimits;
  readonly #note: string | undefined;
  #loadNote: string | undefined;
  readonly #room: Room;
  #series: ViewSeries | undefined;
  #grid: QueryGrid;
  /** Points newer than the load that is under way. */
  #incoming: QueryGrid | undefined;
  #loaded = false;
  readonly #dirty = new DirtyCells();
  readonly #lines = new ViewLines();
  /** Line of each group that has one. */
  readonly #lineOf: (Line | undefined)[] = [];
  readonly #shown = new Set<number>();
  #other: Line | undefined;
  #rest: number[] = [];
  #rankDirty = true;
  #rankAt = 0;
  #reloadAt = 0;

  /** `note`: what the answer to the query lacks, for people. */
  constructor(
    tenant: string,
    query: ResolvedQuery,
    sources: LiveSources,
    limits: LiveLimits,
    note: string | undefined,
  ) {
    assert(query.agg !== 'none', 'records have no grid');
    this.query = { ...query, agg: query.agg };
    this.#tenant = tenant;
    this.#sources = sources;
    this.#limits = limits;
    this.#note = note;
    this.#room = new Room(query, limits, sources.clock);
    const to = query.range.kind === 'fixed' ? query.to : Number.POSITIVE_INFINITY;
    this.#grid = new QueryGrid({ ...this.query, to });
  }

  get revision(): number {
    return this.#lines.revision;
  }

  get parts(): PartSet {
    return this.#grid.parts;
  }

  get sharesUnits(): boolean {
    return !this.#grid.perSeries;
  }

  get grid(): QueryGrid {
    return this.#grid;
  }

  get isTooLarge(): boolean {
    const { clock } = this.#sources;
    return this.#loaded && hasOutgrown(this.query, this.#grid, clock.now(), this.#limits.cells);
  }

  get wantsReload(): boolean {
    return (
      this.#loaded &&
      this.#incoming === undefined &&
      this.#grid.overlapping.size > 0 &&
      this.#sources.clock.monotonic() >= this.#reloadAt
    );
  }

  /** Says where its series are listed; before the first `load`. */
  attach(series: ViewSeries): void {
    this.#series = series;
  }

  /** Whether the view will never take a further group or, when it keeps each series on its own, a further series. */
  get isFull(): boolean {
    if (!this.#loaded) return false;
    return this.#room.isUsedUp || (!this.#grid.perSeries && !this.#room.hasGroup(this.#grid));
  }

  /** Whether an open view has room for another group, of series that are merged. */
  hasRoomForGroup(): boolean {
    return !this.#loaded || (this.#room.hasGroup(this.#grid) && this.#room.hasUnit(this.#grid));
  }

  /** The unit that the points of all series of a new group go to. */
  addGroup(labels: SeriesLabels): number {
    this.#incoming?.addGroup(labels);
    return this.#grid.addSeries(this.#grid.addGroup(labels));
  }

  /** The unit of a series that is kept on its own; −1 when an open view has no room for it. */
  addSeries(definition: SeriesDefinition): number {
    if (this.#loaded && !this.#hasRoomFor(definition)) return -1;
    this.#incoming?.addSeries(this.#incoming.addGroupOf(definition));
    return this.#grid.addSeries(this.#grid.addGroupOf(definition));
  }

  #hasRoomFor(definition: SeriesDefinition): boolean {
    if (this.isFull) return false;
    const hasGroup = this.#room.hasGroup(this.#grid) || this.#grid.findGroupOf(definition) >= 0;
    return hasGroup && this.#room.hasUnit(this.#grid);
  }

  /** Merges the points of one series in one bucket; `start` is that bucket's start. */
  merge(unit: number, start: number, states: StateGrid, row: number): void {
    const { growth } = this.#grid.parts;
    this.#incoming?.mergeCell(unit, start, states, row);
    if (!this.#loaded) return;
    const group = this.#grid.groupOf(unit);
    if (this.#grid.mergeCell(unit, start, states, row)) this.#dirty.mark(group, start);
    else if (!growth) return;
    if (!growth) return;
    const next = this.#grid.startAfter(unit, Math.max(start, this.#grid.spec.from - 1));
    if (!Number.isNaN(next)) this.#dirty.mark(group, next);
  }

  async load(at: OffsetVector): Promise<void> {
    const { query } = this;
    assert(this.#series !== undefined, 'series are listed before they are loaded');
    const now = rangeNow(query, this.#sources.clock.now());
    const fixed = query.range.kind === 'fixed';
    const to = fixed ? now.to : query.buckets.end(now.to + wireLimits.futureMs);
    if (!this.#loaded) {
      if (query.limit === undefined) refuseTooManyGroups(this.#grid.groupCount, this.#limits.groups);
      refuseTooManyCells(this.#grid, bucketsNow(query, this.#sources.clock.now()), this.#limits.cells);
    }
    const grid = this.#grid.emptyCopy(now.from);
    const incoming = grid.emptyCopy(now.from);
    // Nothing stored lies further ahead; what arrives meanwhile may, and goes to the other grid.
    grid.spec.to = to;
    this.#incoming = incoming;
    const started = this.#sources.clock.monotonic();
    try {
      const { handles, units } = this.#series.selection();
      const request = { tenant: this.#tenant, query, at, from: now.from, to, handles, units, grid };
      this.#loadNote = await this.#sources.loadGrid(request);
    } finally {
      this.#incoming = undefined;
      const ended = this.#sources.clock.monotonic();
      const { reloadMs, reloadShare } = this.#limits;
      this.#reloadAt = ended + Math.max(reloadMs, (ended - started) / reloadShare);
    }
    grid.spec.to = incoming.spec.to;
    for (let i = grid.unitCount; i < incoming.unitCount; i += 1) adoptUnit(grid, incoming, i);
    grid.mergeGrid(incoming);
    this.#adopt(grid);
  }

  settle(receivedAt: number): DeltaFrame | undefined {
    if (!this.#loaded) return undefined;
    this.#slide();
    if (this.query.limit === undefined) this.#settleAll();
    else this.#settleRanked();
    if (!this.#lines.hasChanges()) return undefined;
    const changes = this.#lines.commit(this.#grid.spec.from);
    return {
      encode: (baseSeq, seq) => encodeDeltaBody({ baseSeq, seq, newest: receivedAt, ...changes }),
    };
  }

  snapshot(seq: string): Uint8Array {
    const { from, to } = rangeNow(this.query, this.#sources.clock.now());
    const newest = this.#lines.newest();
    const leftOut = this.#series?.leftOut() ?? 0;
    const notes = [this.#note, this.#loadNote, leftOut > 0 ? leftOutNote(leftOut) : undefined].filter(
      (note) => note !== undefined,
    );
    return encodeSnapshotBody({
      epoch: this.#sources.epoch,
      seq,
      recovered: false,
      stepMs: this.query.stepMs,
      from,
      to: Number.isFinite(newest) ? Math.max(to, this.query.buckets.end(newest)) : to,
      series: this.#lines.snapshot(this.#other),
      ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
    });
  }

  changesSince(revision: number, baseSeq: string, seq: string): Uint8Array | undefined {
    if (!this.#lines.canResume(revision)) return undefined;
    return encodeDeltaBody({ baseSeq, seq, newest: 0, ...this.#lines.changesSince(revision) });
  }

  /** Takes a freshly loaded grid; every cell may differ from what viewers were told. */
  #adopt(grid: QueryGrid): void {
    const before = this.#grid;
    this.#grid = grid;
    this.#loaded = true;
    this.#rankDirty = true;
    this.#rankAt = 0;
    this.#dirty.drain(() => undefined);
    for (let group = 0; group < grid.groupCount; group += 1) {
      for (const source of group < before.groupCount ? [before, grid] : [grid]) {
        for (const start of source.startsOf(group)) {
          if (start >= grid.spec.from) this.#dirty.mark(group, start);
        }
      }
    }
  }

  #slide(): void {
    const { from } = rangeNow(this.query, this.#sources.clock.now());
    if (from <= this.#grid.spec.from) return;
    this.#grid.dropBefore(
      from,
      (group) => this.#noteDrop(group),
      (group, start) => this.#dirty.mark(group, start),
    );
    this.#lines.dropBefore(from);
  }

  #noteDrop(group: number): void {
    this.#rankDirty = true;
    const line = this.#lineOf[group];
    if (this.query.limit !== undefined || line === undefined || this.#grid.hasCells(group)) return;
    this.#lines.remove(line);
    this.#lineOf[group] = undefined;
  }

  #settleAll(): void {
    this.#dirty.drain((group, starts) => this.#updateGroup(group, starts));
  }

  #updateGroup(group: number, starts: readonly number[]): void {
    const { from } = this.#grid.spec;
    this.#grid.forEachValue(this.#grid.unitsOf(group), starts, (start, value) => {
      let line = this.#lineOf[group];
      if (start < from || (line === undefined && Number.isNaN(value))) return;
      if (line === undefined) {
        line = this.#lines.add(this.#grid.labelsOf(group));
        this.#lineOf[group] = line;
      }
      this.#lines.set(line, start, value);
    });
  }

  #settleRanked(): void {
    if (!this.#dirty.isEmpty) this.#rankDirty = true;
    const now = this.#sources.clock.monotonic();
    if (this.#rankDirty && (now >= this.#rankAt || this.#shown.size < this.query.limit!)) {
      this.#rankDirty = false;
      this.#rankAt = now + Math.floor(this.#grid.cellCount / freelyRankedCells) * rankIntervalMs;
      this.#rank();
    }
    const restStarts = new Set<number>();
    this.#dirty.drain((group, starts) => {
      if (this.#shown.has(group)) this.#updateGroup(group, starts);
      else for (const start of starts) restStarts.add(start);
    });
    const other = this.#other;
    if (other === undefined) return;
    const { from } = this.#grid.spec;
    this.#grid.forEachValue(this.#rest, [...restStarts], (start, value) => {
      if (start >= from) this.#lines.set(other, start, value);
    });
  }

  /** Decides anew which groups are shown. "Other" is rebuilt only when a group entered or left it. */
  #rank(): void {
    const ranked = this.#grid.ranked(this.query.order);
    const members = new Set(ranked.slice(0, this.query.limit));
    const rest = ranked.slice(this.query.limit).flatMap((group) => this.#grid.unitsOf(group));
    for (const group of this.#shown) {
      if (members.has(group)) continue;
      this.#lines.remove(this.#lineOf[group]!);
      this.#lineOf[group] = undefined;
      this.#shown.delete(group);
    }
    for (const group of members) {
      if (this.#shown.has(group)) continue;
      this.#shown.add(group);
      this.#lineOf[group] = this.#lines.add(this.#grid.labelsOf(group));
      this.#replace(this.#lineOf[group], this.#grid.unitsOf(group));
    }
    const same = rest.length === this.#rest.length && new Set([...rest, ...this.#rest]).size === rest.length;
    if (same) return;
    this.#rest = rest;
    if (rest.length === 0) {
      if (this.#other !== undefined) this.#lines.remove(this.#other);
      this.#other = undefined;
      return;
    }
    this.#other ??= this.#lines.add(otherLabels(this.query.groupBy));
    this.#replace(this.#other, rest);
  }

  /** Makes a line say exactly what these units say; cells that are gone are taken back. */
  #replace(line: Line, units: readonly number[]): void {
    const { timestamps, values } = this.#grid.columns(units);
    const gone = new Set(line.cells.columns().timestamps);
    for (let i = 0; i < timestamps.length; i += 1) {
      gone.delete(timestamps[i]!);
      this.#lines.set(line, timestamps[i]!, values[i]!);
    }
    for (const start of gone) this.#lines.set(line, start, Number.NaN);
  }
}

function leftOutNote(series: number): string {
  return `${series} series that appeared since this view was opened are left out: it may not grow any further; ask for a limit, a wider step or fewer series`;
}

/** Repeats on `grid` the registration of a unit that came while `grid` was being loaded. */
function adoptUnit(grid: QueryGrid, incoming: QueryGrid, unit: number): void {
  const group = grid.addGroup(incoming.labelsOf(incoming.groupOf(unit)));
  if (grid.unitCount <= unit) grid.addSeries(group);
}
