import type { Clock } from '@nowcast/kernel';
import type { EngineLog } from './embedded-engine.ts';
import type { PartitionState } from './partition-state.ts';

const checkEveryMs = 1000;

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
    const { openPoints, openRecords, openSince } = state;
    if (openRecords === 0) return;
    const old = this.#clock.now() - openSince >= this.#limits.flushAgeMs;
    if (old || Math.max(openPoints, openRecords) >= this.#limits.flushPoints) void this.mark(state);
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
        () => undefined,
        (error: unknown) => {
          this.#report('warn', 'a flush could not be marked: the log takes no records', {
            partition,
            reason: String(error),
          });
        },
      )
      .finally(() => this.#marking.delete(partition));
    this.#marking.set(partition, mark);
    return mark;
  }
}
