import type { Clock } from '@nowcast/kernel';
import type { EngineLog } from './embedded-engine.ts';
import { type PartitionState, textBytesPerPoint } from './partition-state.ts';

const checkEveryMs = 1000;
/** Unflushed points of all partitions beyond which senders are told to wait: the warehouse has been gone for long. */
export const mostUnflushed = 20_000_000;
/**
 * While a flush waits for the warehouse, what is open grows up to this many points (or the limit, if that is more)
 * before it is marked as well: many small flushes behind a slow warehouse would each cost as much as one of them.
 */
const mostOpenPoints = 500_000;
/**
 * With this many series a flush of a million points has two hundred of each. What a flush costs is its rows as much as
 * its points, so that from here on it grows with them, up to twice the limit (docs/decisions/0024).
 */
const manySeries = 5000;

/**
 * Decides when a partition is flushed, by size or age, and has the mark written that makes it so. When to flush may
 * depend on the clock; what a flush holds depends on the mark's place in the log alone.
 */
export class FlushTrigger {
  readonly #clock: Clock;
  readonly #report: EngineLog;
  readonly #limits: { flushPoints: number; flushAgeMs: number };
  readonly #append: (partition: number, from: number) => Promise<unknown>;
  readonly #marking = new Map<number, Promise<void>>();
  /** Where each partition's next flush begins, and since when this process knows that, monotonic milliseconds. */
  readonly #opened = new Map<number, { from: number; at: number }>();
  /** Why marks are refused; undefined: they are taken. */
  #refusal: string | undefined;
  #states: readonly PartitionState[] = [];
  #cancel: (() => void) | undefined;

  constructor(options: {
    clock: Clock;
    report: EngineLog;
    limits: { flushPoints: number; flushAgeMs: number };
    /** Appends the mark; resolves once it is durable and applied. */
    append: (partition: number, from: number) => Promise<unknown>;
  }) {
    this.#clock = options.clock;
    this.#report = options.report;
    this.#limits = options.limits;
    this.#append = options.append;
  }

  start(states: readonly PartitionState[]): void {
    this.#states = states;
    const check = () => {
      for (const state of states) this.check(state);
      this.#cancel = this.#clock.after(checkEveryMs, check);
    };
    check();
  }

  stop(): void {
    this.#cancel?.();
  }

  check(state: PartitionState): void {
    const { openPoints, openTextBytes, openRecords, pending } = state;
    if (openRecords === 0) return;
    const flushPoints = this.#flushPoints(state);
    const size = Math.max(openPoints, openTextBytes / textBytesPerPoint, openRecords);
    if (pending.length > 0 && size < Math.max(flushPoints, mostOpenPoints)) return;
    if (size >= flushPoints || this.#isOld(state)) void this.mark(state);
  }

  /** New series take memory of their own in a flush, so that they do not make it larger. */
  #flushPoints({ flushedSeries, openSeries }: PartitionState): number {
    const { flushPoints } = this.#limits;
    const times = Math.min(2, flushedSeries / manySeries);
    const wanted = Math.max(flushPoints, flushPoints * times - openSeries);
    // Together they must be flushed before nothing more is taken, with as much on its way into the warehouse.
    return Math.min(wanted, mostUnflushed / 2 / this.#states.length);
  }

  /** By receipt time, which says how old it was before a restart, or by the time seen, whatever the wall clock does. */
  #isOld({ tail, openFrom, openSince }: PartitionState): boolean {
    const now = this.#clock.monotonic();
    let opened = this.#opened.get(tail.partition);
    if (opened?.from !== openFrom) this.#opened.set(tail.partition, (opened = { from: openFrom, at: now }));
    return Math.max(this.#clock.now() - openSince, now - opened.at) >= this.#limits.flushAgeMs;
  }

  /** Marks every partition that has open records, whatever their number or age. */
  async markAll(): Promise<void> {
    await Promise.all(this.#states.filter((state) => state.openRecords > 0).map((state) => this.mark(state)));
  }

  mark(state: PartitionState): Promise<void> {
    const { partition } = state.tail;
    const running = this.#marking.get(partition);
    if (running !== undefined) return running;
    const mark = this.#append(partition, state.openFrom)
      .then(
        () => this.#note(undefined),
        (error: unknown) => this.#note(String(error)),
      )
      .finally(() => this.#marking.delete(partition));
    this.#marking.set(partition, mark);
    return mark;
  }

  /** It is tried every second; people hear of it when it changes. */
  #note(refusal: string | undefined): void {
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    if (refusal === undefined) this.#report('info', 'flushes are marked again', {});
    else this.#report('warn', 'flushes cannot be marked: the log takes no records', { reason: refusal });
  }
}
