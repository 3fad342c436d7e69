import { expect } from 'vitest';
import { cellsOf, renderCells, stateKey, statesOf, viewKey } from './states.ts';
import type {
  Backup,
  Cell,
  FlushRange,
  Frame,
  Inspection,
  LogSystem,
  ModelPoint,
  ModelView,
  Pin,
  Position,
} from './system.ts';

/** The numbers in the messages are those of docs/log.md. */
export interface Client {
  view: ModelView;
  position: Position;
  cells: Map<string, Cell>;
  /** How many of the oracle's points lie below the position. */
  seen: number;
  /** Online clients get what is published. */
  isOnline: boolean;
  /** The process that gave the position still lives. */
  isSameProcess: boolean;
}

interface HeldPin {
  pin: Pin;
  expected: string[];
}

interface HeldBackup {
  backup: Backup;
  points: ModelPoint[];
}

/** How often the interesting things happened: a run in which none did proves nothing. */
export interface Coverage {
  crashes: number;
  restores: number;
  resumed: number;
  notRecovered: number;
  pushed: number;
  pinnedReads: number;
  retries: number;
  flushes: number;
  cuts: number;
}

/**
 * What a system must answer, from nothing but the list of points that were acknowledged, each once. Also the clients,
 * pins and backups that commands leave behind, and the checks that hold after every command.
 */
export class Oracle {
  points: ModelPoint[] = [];
  readonly clients: Client[] = [];
  readonly pins: HeldPin[] = [];
  readonly backups: HeldBackup[] = [];
  readonly coverage: Coverage;
  #ids = new Set<string>();
  #last: Inspection | undefined;
  #pushedSeq = new Map<string, string>();
  #fresh = 0;
  #epochBeforeRestore: string | undefined;

  constructor(coverage: Coverage) {
    this.coverage = coverage;
  }

  /** The points are acknowledged: those with an id seen before were retries. */
  accept(points: readonly ModelPoint[]): void {
    for (const point of points) {
      if (point.dataId !== undefined && this.#ids.has(point.dataId)) {
        this.coverage.retries += 1;
        continue;
      }
      if (point.dataId !== undefined) this.#ids.add(point.dataId);
      this.points.push(point);
    }
  }

  /** Ids no point has had: a sender that retries blindly gives every point one. */
  withFreshIds(points: readonly ModelPoint[]): ModelPoint[] {
    return points.map((point) => ({ ...point, dataId: `fresh-${(this.#fresh += 1)}` }));
  }

  expected(view: ModelView): Cell[] {
    return cellsOf(statesOf(this.points, view.stepMs), view);
  }

  rendered(view: ModelView): string[] {
    return renderCells(this.expected(view));
  }

  /** A published delta: every online client of the view applies it. */
  receive(frame: Frame): void {
    const key = viewKey(frame.view);
    const before = this.#pushedSeq.get(key);
    for (const client of this.clients) {
      if (!client.isOnline || viewKey(client.view) !== key) continue;
      const follows = frame.baseSeq === client.position.seq || frame.baseSeq === before;
      expect(follows, `L8: delta from ${frame.baseSeq} for a client at ${client.position.seq}`).toBe(true);
      this.#applyDelta(client, frame);
      this.coverage.pushed += 1;
    }
    this.#pushedSeq.set(key, frame.seq);
  }

  /** Checks the answer to a client that came back, and brings the client up to date. */
  resumed(client: Client, frame: Frame): void {
    const isSameEpoch = client.position.epoch === frame.epoch;
    if (frame.recovered) {
      expect(isSameEpoch, 'L10: a position of another epoch is never recovered').toBe(true);
      expect(frame.kind, 'L9: what is recovered is a delta').toBe('delta');
      this.#checkChanged(client, frame);
      this.#applyDelta(client, frame);
      this.coverage.resumed += 1;
    } else {
      const mustRecover = isSameEpoch && client.isSameProcess;
      expect(mustRecover, 'L9: a position of the same life must be recovered').toBe(false);
      expect(frame.kind, 'L9: without recovery there is a snapshot').toBe('snapshot');
      client.cells = byKey(frame.cells);
      this.coverage.notRecovered += 1;
    }
    client.position = { epoch: frame.epoch, seq: frame.seq };
    Object.assign(client, { isOnline: true, isSameProcess: true, seen: this.points.length });
    this.checkClient(client);
  }

  checkClient(client: Client): void {
    expect(renderCells(client.cells.values()), 'L8: what a client shows').toEqual(this.rendered(client.view));
  }

  /** The process died: connections and pins with it. */
  processEnded(): void {
    this.pins.splice(0);
    this.#pushedSeq.clear();
    for (const client of this.clients) Object.assign(client, { isOnline: false, isSameProcess: false });
  }

  restoredFrom(held: HeldBackup): void {
    this.points = [...held.points];
    this.#ids = new Set(held.points.flatMap(({ dataId }) => dataId ?? []));
    this.processEnded();
    this.#epochBeforeRestore = this.#last?.epoch;
    this.#last = undefined;
    this.coverage.restores += 1;
  }

  /** Holds after every command. */
  async checkInvariants(system: LogSystem): Promise<void> {
    const now = await system.inspect();
    const before = this.#last;
    for (const [p, tail] of now.tail.entries()) {
      const allowed = Math.min(now.watermark[p]!, now.dedupeCheckpoint[p]!, now.alertCheckpoint[p]!);
      if (before === undefined || tail > before.tail[p]!) {
        expect(tail, `L11: partition ${p} is cut at most at its checkpoints`).toBeLessThanOrEqual(allowed);
      }
      if (tail > 0) this.coverage.cuts += 1;
    }
    checkFlushes(now);
    if (this.#epochBeforeRestore !== undefined) {
      expect(now.epoch, 'L10: a restore begins an epoch').not.toBe(this.#epochBeforeRestore);
      this.#epochBeforeRestore = undefined;
    }
    if (before !== undefined) checkProgress(before, now);
    this.coverage.flushes += Math.max(0, (now.flushes?.length ?? 0) - (before?.flushes?.length ?? 0));
    this.#last = now;
  }

  /** Every cell whose value differs, and none that no point has touched since. */
  #checkChanged(client: Client, frame: Frame): void {
    const sent = new Set(frame.cells.map(stateKey));
    const touched = statesOf(this.points.slice(client.seen), client.view.stepMs);
    for (const cell of this.expected(client.view)) {
      const isChanged = client.cells.get(stateKey(cell))?.value !== cell.value;
      if (isChanged) expect(sent, 'L9: all that changed').toContain(stateKey(cell));
    }
    for (const key of sent) expect(touched.has(key), `L9: ${key} did not change`).toBe(true);
  }

  #applyDelta(client: Client, frame: Frame): void {
    for (const cell of frame.cells) client.cells.set(stateKey(cell), cell);
    client.position = { epoch: frame.epoch, seq: frame.seq };
    client.seen = this.points.length;
  }

  async checkPins(): Promise<void> {
    for (const { pin, expected } of this.pins) {
      expect(renderCells(await pin.read()), 'L6: a pinned snapshot stays as it was').toEqual(expected);
      this.coverage.pinnedReads += 1;
    }
  }
}

export function byKey(cells: readonly Cell[]): Map<string, Cell> {
  return new Map(cells.map((cell) => [stateKey(cell), cell]));
}

/** Flushes of a partition follow each other without gap or overlap and end at the watermark. */
function checkFlushes(now: Inspection): void {
  for (const [partition, watermark] of now.watermark.entries()) {
    expect(now.head[partition], `L2: partition ${partition}`).toBeGreaterThanOrEqual(watermark);
    if (now.flushes === undefined) continue;
    const own = rangesOf(now, partition);
    let next = 0;
    for (const { from, to } of own) {
      expect(from, `L4: flushes of partition ${partition} follow each other`).toBe(next);
      expect(to, `L4: a flush of partition ${partition} holds records`).toBeGreaterThan(from);
      next = to;
    }
    expect(watermark, `L5: the watermark of partition ${partition} is the end of its last flush`).toBe(next);
  }
}

/** Nothing goes back, and what was flushed keeps its boundaries, whatever happened in between. */
function checkProgress(before: Inspection, now: Inspection): void {
  expect(now.epoch, 'L10: the epoch is kept across restarts').toBe(before.epoch);
  for (const partition of before.head.keys()) {
    expect(now.head[partition], 'L2: no offset is used twice').toBeGreaterThanOrEqual(
      before.head[partition]!,
    );
    expect(now.tail[partition], 'L11: the tail only moves on').toBeGreaterThanOrEqual(
      before.tail[partition]!,
    );
    expect(now.watermark[partition], 'L5: the watermark only moves on').toBeGreaterThanOrEqual(
      before.watermark[partition]!,
    );
    const had = rangesOf(before, partition);
    expect(rangesOf(now, partition).slice(0, had.length), 'L4: boundaries are kept').toEqual(had);
  }
}

function rangesOf(inspection: Inspection, partition: number): FlushRange[] {
  return (inspection.flushes ?? [])
    .filter((flush) => flush.partition === partition)
    .map(({ from, to }) => ({ partition, from, to }))
    .sort((a, b) => a.from - b.from);
}
