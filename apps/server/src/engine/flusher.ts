import type { SeriesIndex } from '@nowcast/head';
import { buildFlush, type FlushRange, FlushScratch } from '@nowcast/history';
import { type Clock, isAppError } from '@nowcast/kernel';
import { inSlices } from '@nowcast/kernel/slices';
import type { HotStore, Warehouse } from '@nowcast/ports';
import type { EngineLog } from './embedded-engine.ts';
import type { PartitionState } from './partition-state.ts';

/** What of the warehouse a flush needs. */
type FlushTarget = Pick<Warehouse, 'insertFlush' | 'commit'>;
type HotTarget = Pick<HotStore, 'put'>;

const firstRetryMs = 500;
const longestRetryMs = 30_000;
/** How long a flush keeps the thread at a time, ms, while others wait behind it: it must not fall back further. */
const behindTurnMs = 12;

/**
 * Carries marked flushes into the warehouse, one at a time and in order: insert, then move the watermark. A failed
 * insert is repeated for as long as it takes, with the same rows under the same token: the log keeps them, the tail
 * keeps them visible, and "complete to" tells people how far history has come.
 */
export class Flusher {
  readonly #states: readonly PartitionState[];
  readonly #index: SeriesIndex;
  readonly #warehouse: FlushTarget;
  readonly #hot: HotTarget;
  readonly #clock: Clock;
  readonly #log: EngineLog;
  readonly #committed: () => Promise<void>;
  /** One flush at a time, and nobody keeps its block. */
  readonly #scratch = new FlushScratch();
  #running: Promise<void> | undefined;
  #stopped = false;
  /** The partition that is looked at first: they take turns, so that none waits for another that is never done. */
  #turn = 0;
  #wake: (() => void) | undefined;
  /** Failed attempts since start, for `/metrics`. */
  failures = 0;

  constructor(options: {
    states: readonly PartitionState[];
    index: SeriesIndex;
    warehouse: FlushTarget;
    hot: HotTarget;
    clock: Clock;
    log: EngineLog;
    /** Called after each commit, before the next flush begins. */
    committed: () => Promise<void>;
  }) {
    this.#states = options.states;
    this.#index = options.index;
    this.#warehouse = options.warehouse;
    this.#hot = options.hot;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#committed = options.committed;
  }

  /** Starts on what is pending, if it is not at it already. */
  kick(): void {
    if (this.#running !== undefined || this.#stopped) return;
    this.#running = this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#next() !== undefined) this.kick();
    });
  }

  /** Does not wait any longer before it repeats what failed. */
  retry(): void {
    this.#wake?.();
  }

  /** Resolves when nothing is pending (or the flusher was stopped). */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Lets the flush that is being written finish, and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  #next(): { state: PartitionState; range: FlushRange } | undefined {
    if (this.#stopped) return undefined;
    for (let i = 0; i < this.#states.length; i++) {
      const state = this.#states[(this.#turn + i) % this.#states.length]!;
      const range = state.pending[0];
      if (range !== undefined) return { state, range };
    }
    return undefined;
  }

  async #drain(): Promise<void> {
    let retryMs = firstRetryMs;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#turn = next.range.partition + 1;
      try {
        await this.#flush(next.state, next.range);
        retryMs = firstRetryMs;
      } catch (error) {
        this.failures++;
        const reason = isAppError(error) ? error.message : String(error);
        this.#log('warn', 'flush failed, will be repeated', {
          partition: next.range.partition,
          from: next.range.from,
          to: next.range.to,
          reason,
          retryMs,
        });
        // Nothing will be repeated before the next start.
        if (this.#stopped) return;
        await this.#sleep(retryMs);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      }
    }
  }

  async #flush(state: PartitionState, range: FlushRange): Promise<void> {
    const isBehind = state.pending.length > 1;
    const steps = buildFlush(range, state.tail, this.#index, this.#scratch);
    const block = await inSlices(steps, isBehind ? behindTurnMs : undefined);
    await this.#warehouse.insertFlush(block);
    await this.#warehouse.commit({ partition: range.partition, to: range.to, receivedAt: range.receivedAt });
    // Before readers' vectors move: from then on they expect to find it there, or the reach above it.
    await this.#hot.put(block);
    state.committed(range);
    await this.#committed();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
