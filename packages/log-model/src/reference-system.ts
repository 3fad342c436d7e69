import { ReferenceWarehouse, type Vision } from './reference-warehouse.ts';
import { type Rules, soundRules } from './rules.ts';
import { cellsOf, mergeInto, pointState, stateKey, viewKey } from './states.ts';
import type {
  Backup,
  FlushRange,
  Frame,
  Inspection,
  LogSystem,
  ModelPoint,
  ModelView,
  Pin,
  Position,
} from './system.ts';

/**
 * The executable model: the path of a point with nothing left but its rules. No I/O, no speed, no clock of its own.
 * What survives a crash is in `#disk`; everything else is rebuilt by replaying the log through `#apply`, which is also
 * what runs when an entry is appended, so that a replay cannot differ.
 */
type Entry =
  | { kind: 'points'; points: readonly ModelPoint[] }
  | { kind: 'flush'; from: number }
  | { kind: 'tick'; now: number };

interface Disk {
  epoch: string;
  /** `log[p][i]` has offset `tail[p] + i`. */
  log: Entry[][];
  tail: number[];
  warehouse: ReferenceWarehouse;
  /** Ids accepted below `dedupeCheckpoint`; later ones follow from the log. */
  dedupe: Set<string>;
  dedupeCheckpoint: number[];
  alertCheckpoint: number[];
}

interface TailPoint {
  offset: number;
  point: ModelPoint;
}

/** Steps of a flush at which the process can die. */
const flushSteps = ['recorded', 'half inserted', 'inserted', 'committed'] as const;

export class ReferenceSystem implements LogSystem {
  readonly #partitions: number;
  readonly #rules: Rules;
  #disk: Disk;
  #epochs = 1;
  #listener: (frame: Frame) => void = () => undefined;

  // Dies with the process.
  /** Acknowledged too early: what a crash loses when the rule "fdatasync, apply, acknowledge" is broken. */
  readonly #unwritten: (readonly [partition: number, entry: Entry])[] = [];
  #tailPoints: TailPoint[][] = [];
  #dedupe = new Set<string>();
  #now = 0;
  /** Newest points per partition, for "what changed since"; complete from `#changesFrom` on. */
  #changes: TailPoint[][] = [];
  #changesFrom: number[] = [];
  /** Views that were read, with the position their last delta ended at. */
  #views = new Map<string, { view: ModelView; seq: string }>();

  constructor(options: { partitions?: number; rules?: Partial<Rules> } = {}) {
    this.#partitions = options.partitions ?? 3;
    this.#rules = { ...soundRules, ...options.rules };
    this.#disk = {
      epoch: 'epoch-1',
      log: this.#perPartition((): Entry[] => []),
      tail: this.#perPartition(() => 0),
      warehouse: new ReferenceWarehouse(this.#rules, this.#partitions),
      dedupe: new Set(),
      dedupeCheckpoint: this.#perPartition(() => 0),
      alertCheckpoint: this.#perPartition(() => 0),
    };
    this.#start();
  }

  append(points: readonly ModelPoint[]): Promise<void> {
    const entries = this.#decide(points);
    if (this.#rules.durableBeforeAcknowledged) this.#write(entries);
    else this.#unwritten.push(...entries);
    return Promise.resolve();
  }

  tick(): Promise<void> {
    const now = this.#now + 1000;
    this.#write(this.#perPartition((partition) => [partition, { kind: 'tick', now }] as const));
    this.#disk.alertCheckpoint = this.#head();
    for (const { view } of this.#views.values()) this.#publish(view);
    return Promise.resolve();
  }

  flush(crashAt?: number): Promise<void> {
    const dieAt = crashAt === undefined ? undefined : flushSteps[crashAt % flushSteps.length];
    for (const partition of this.#disk.log.keys()) {
      const from = this.#disk.warehouse.watermark[partition]!;
      if (this.#tailPoints[partition]!.every(({ offset }) => offset < from)) continue;
      const died = this.#flushPartition(partition, from, dieAt);
      if (died) break;
    }
    if (dieAt !== undefined) this.#start();
    else this.#checkpointDedupe();
    return Promise.resolve();
  }

  compact(): Promise<void> {
    this.#disk.warehouse.compact(this.#now - 5000);
    return Promise.resolve();
  }

  cut(): Promise<void> {
    const { warehouse, dedupeCheckpoint, alertCheckpoint, tail, log } = this.#disk;
    for (const partition of tail.keys()) {
      const w = warehouse.watermark[partition]!;
      const below = this.#rules.cutWaitsForCheckpoints
        ? Math.min(w, dedupeCheckpoint[partition]!, alertCheckpoint[partition]!)
        : w;
      log[partition]!.splice(0, below - tail[partition]!);
      tail[partition] = Math.max(tail[partition]!, below);
    }
    return Promise.resolve();
  }

  read(view: ModelView, since?: Position): Promise<Frame> {
    if (this.#views.has(viewKey(view))) this.#publish(view);
    else this.#views.set(viewKey(view), { view, seq: this.#seq() });
    const delta = since === undefined ? undefined : this.#delta(view, since);
    return Promise.resolve(delta ?? this.#snapshot(view, since === undefined));
  }

  onFrame(listener: (frame: Frame) => void): void {
    this.#listener = listener;
  }

  pin(view: ModelView): Promise<Pin> {
    const vision = this.#disk.warehouse.vision();
    const unpin = this.#disk.warehouse.pin(vision);
    const tail = this.#tailAbove(vision.watermark);
    const read = () => Promise.resolve(cellsOf(this.#states(view, vision, tail), view));
    return Promise.resolve({ read, release: unpin });
  }

  crash(inFlight: readonly ModelPoint[]): Promise<void> {
    // Some of the partitions' entries got through; a log with atomic calls would keep all or none.
    const entries = this.#decide(inFlight);
    for (const [partition, entry] of entries.slice(inFlight.length % (entries.length + 1))) {
      this.#disk.log[partition]!.push(entry);
    }
    this.#start();
    return Promise.resolve();
  }

  backup(): Promise<Backup> {
    return Promise.resolve({ system: cloneDisk(this.#disk) });
  }

  restore(backup: Backup): Promise<void> {
    this.#disk = cloneDisk(backup.system as Disk);
    if (this.#rules.restoreBeginsEpoch) this.#epochs += 1;
    this.#disk.epoch = `epoch-${this.#epochs}`;
    this.#start();
    return Promise.resolve();
  }

  inspect(): Promise<Inspection> {
    const { epoch, tail, warehouse, dedupeCheckpoint, alertCheckpoint } = this.#disk;
    return Promise.resolve({
      epoch,
      head: this.#head(),
      tail: [...tail],
      watermark: [...warehouse.watermark],
      dedupeCheckpoint: [...dedupeCheckpoint],
      alertCheckpoint: [...alertCheckpoint],
      flushes: [...warehouse.flushes],
    });
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Splits a call by partition and leaves out what was accepted before. */
  #decide(points: readonly ModelPoint[]): (readonly [partition: number, entry: Entry])[] {
    const fresh = this.#perPartition((): ModelPoint[] => []);
    const inCall = new Set<string>();
    for (const point of points) {
      const { dataId } = point;
      if (dataId !== undefined && (this.#dedupe.has(dataId) || inCall.has(dataId))) continue;
      if (dataId !== undefined) inCall.add(dataId);
      fresh[partitionOf(point.series, this.#partitions)]!.push(point);
    }
    return fresh
      .map((own, partition) => [partition, { kind: 'points', points: own } as const] as const)
      .filter(([, entry]) => entry.points.length > 0);
  }

  /** Durable, then applied. */
  #write(entries: readonly (readonly [partition: number, entry: Entry])[]): void {
    for (const [partition, entry] of [...this.#unwritten.splice(0), ...entries]) {
      const offset = this.#disk.tail[partition]! + this.#disk.log[partition]!.push(entry) - 1;
      this.#apply(partition, offset, entry);
    }
  }

  /** The only way an entry has any effect. A flush is carried out by who wrote it, or by the replay. */
  #apply(partition: number, offset: number, entry: Entry): void {
    if (entry.kind === 'tick') this.#now = Math.max(this.#now, entry.now);
    if (entry.kind !== 'points') return;
    for (const point of entry.points) {
      if (point.dataId !== undefined) this.#dedupe.add(point.dataId);
      this.#changes[partition]!.push({ offset, point });
      if (offset >= this.#disk.warehouse.watermark[partition]!) {
        this.#tailPoints[partition]!.push({ offset, point });
      }
    }
  }

  /** True when the process died on the way. */
  #flushPartition(partition: number, from: number, dieAt: (typeof flushSteps)[number] | undefined): boolean {
    const flush = { partition, from, to: this.#head()[partition]! };
    if (this.#rules.flushRecordFirst) this.#write([[partition, { kind: 'flush', from }]]);
    if (dieAt === 'recorded') return true;
    this.#carryOut(flush, dieAt);
    return dieAt !== undefined;
  }

  /** A pure function of the records [from, to): nothing is carried over, nothing else is looked at. */
  #carryOut(flush: FlushRange, dieAt: (typeof flushSteps)[number] | undefined): void {
    const { warehouse, log, tail } = this.#disk;
    const { partition, from, to } = flush;
    const records = log[partition]!.slice(from - tail[partition]!, to - tail[partition]!);
    const points = records.flatMap((entry) => (entry.kind === 'points' ? entry.points : []));
    warehouse.insertFlush(flush, points, dieAt === 'half inserted');
    if (dieAt === 'half inserted' || dieAt === 'inserted') return;
    warehouse.commit(flush);
    this.#forgetFlushed(partition);
  }

  #forgetFlushed(partition: number): void {
    const w = this.#disk.warehouse.watermark[partition]!;
    if (!this.#rules.tailFollowsWatermark) return;
    this.#tailPoints[partition] = this.#tailPoints[partition]!.filter(({ offset }) => offset >= w);
  }

  #checkpointDedupe(): void {
    this.#disk.dedupe = new Set(this.#dedupe);
    this.#disk.dedupeCheckpoint = this.#head();
  }

  /** A start: everything volatile is gone, the log is replayed from its tail, open flushes are carried out. */
  #start(): void {
    const { warehouse, log, tail, dedupe, dedupeCheckpoint } = this.#disk;
    warehouse.unpinAll();
    this.#unwritten.splice(0);
    this.#tailPoints = this.#perPartition((): TailPoint[] => []);
    this.#changes = this.#perPartition((): TailPoint[] => []);
    this.#changesFrom = this.#rules.changesDieWithTheProcess
      ? [...warehouse.watermark]
      : this.#perPartition(() => 0);
    this.#dedupe = new Set(dedupe);
    this.#views.clear();
    this.#now = 0;
    for (const [partition, entries] of log.entries()) {
      for (const [i, entry] of entries.entries()) {
        const offset = tail[partition]! + i;
        if (offset < dedupeCheckpoint[partition]! && offset < warehouse.watermark[partition]!) {
          if (entry.kind === 'tick') this.#apply(partition, offset, entry);
          continue;
        }
        this.#apply(partition, offset, entry);
        const isOpen = entry.kind === 'flush' && offset > warehouse.watermark[partition]!;
        if (isOpen) this.#carryOut({ partition, from: entry.from, to: offset }, undefined);
      }
    }
    if (!this.#rules.dedupeIsReplayed) this.#dedupe = new Set(dedupe);
  }

  #publish(view: ModelView): void {
    const baseSeq = this.#views.get(viewKey(view))!.seq;
    const delta = this.#delta(view, { epoch: this.#disk.epoch, seq: baseSeq });
    if (delta === undefined) return;
    this.#views.set(viewKey(view), { view, seq: delta.seq });
    this.#listener(delta);
  }

  #snapshot(view: ModelView, recovered: boolean): Frame {
    const vision = this.#disk.warehouse.vision();
    const cells = cellsOf(this.#states(view, vision, this.#tailAbove(vision.watermark)), view);
    return { ...this.#position(), view, kind: 'snapshot', baseSeq: '', recovered, cells };
  }

  /** Whole states of the cells with points at or above `since`; nothing when that can no longer be known. */
  #delta(view: ModelView, since: Position): Frame | undefined {
    if (since.epoch !== this.#disk.epoch) return undefined;
    const from = since.seq.split('.').map(Number);
    if (from.some((offset, partition) => offset < this.#changesFrom[partition]!)) return undefined;
    const changed = new Set<string>();
    for (const [partition, changes] of this.#changes.entries()) {
      for (const { offset, point } of changes) {
        if (offset >= from[partition]!) changed.add(stateKey(pointState(point, view.stepMs)));
      }
    }
    const cells = this.#snapshot(view, true).cells.filter((cell) => changed.has(stateKey(cell)));
    return { ...this.#position(), view, kind: 'delta', baseSeq: since.seq, recovered: true, cells };
  }

  /** warehouse(≤ W) ⊕ tail(> W). */
  #states(view: ModelView, vision: Vision, tail: readonly ModelPoint[]) {
    const states = this.#disk.warehouse.read(view.stepMs, vision);
    for (const point of tail) mergeInto(states, pointState(point, view.stepMs));
    return states;
  }

  #tailAbove(watermark: readonly number[]): ModelPoint[] {
    const isAbove = ({ offset }: TailPoint, partition: number): boolean =>
      !this.#rules.tailFollowsWatermark || offset >= watermark[partition]!;
    return this.#tailPoints.flatMap((own, partition) =>
      own.filter((at) => isAbove(at, partition)).map(({ point }) => point),
    );
  }

  #position(): Position {
    return { epoch: this.#disk.epoch, seq: this.#seq() };
  }

  #seq(): string {
    return this.#head().join('.');
  }

  #head(): number[] {
    return this.#disk.log.map((entries, partition) => this.#disk.tail[partition]! + entries.length);
  }

  #perPartition<T>(make: (partition: number) => T): T[] {
    return Array.from({ length: this.#partitions }, (_, partition) => make(partition));
  }
}

function cloneDisk(disk: Disk): Disk {
  return {
    ...disk,
    log: disk.log.map((entries) => [...entries]),
    tail: [...disk.tail],
    warehouse: disk.warehouse.clone(),
    dedupe: new Set(disk.dedupe),
    dedupeCheckpoint: [...disk.dedupeCheckpoint],
    alertCheckpoint: [...disk.alertCheckpoint],
  };
}

function partitionOf(series: string, partitions: number): number {
  let hash = 0;
  for (const char of series) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
  return hash % partitions;
}
