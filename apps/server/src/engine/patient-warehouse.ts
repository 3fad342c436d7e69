import { appError } from '@nowcast/contract';
import { type Clock, isAppError } from '@nowcast/kernel';
import type {
  FlushBlock,
  MaintainRequest,
  PointColumns,
  PointsRequest,
  SeriesRow,
  StateColumns,
  StatesRequest,
  Warehouse,
  WarehouseStats,
  Watermark,
} from '@nowcast/ports';
import type { EngineLog } from './embedded-engine.ts';

/** Longer than the engine waits for the lock of a predecessor; a start beyond it may as well never end. */
const firstPatienceMs = 15_000;
const firstRetryMs = 500;
const longestRetryMs = 10_000;
const probeEveryMs = 1000;

/**
 * A warehouse that may not be there: points are taken and shown live all the same, so its start is tried for as long as
 * it takes, and everybody can be told what is missing meanwhile.
 *
 * ```
 * run ─► up                         keepTrying ─► up
 *    └─► absent (calls reject) ─────────┘
 * ```
 * A call on an engine that came up by itself, before the manifest was read, would take every flush for a new one:
 * nothing passes before `run` of the warehouse itself went through.
 */
export class PatientWarehouse implements Warehouse {
  readonly #inner: Warehouse;
  readonly #clock: Clock;
  readonly #log: EngineLog;
  readonly #onMissing: (why: string | undefined) => void;
  #state: 'absent' | 'up' | 'stopped' = 'absent';
  #attempted: Promise<boolean> = Promise.resolve(false);
  #areReadsHeld: () => boolean = () => false;
  #missing: string | undefined;
  #cancelTimer: () => void = () => undefined;
  #giveUp: () => void = () => undefined;

  constructor(options: {
    warehouse: Warehouse;
    clock: Clock;
    log: EngineLog;
    /** Called whenever it goes (with the reason) or comes back (undefined). */
    onMissing: (why: string | undefined) => void;
  }) {
    this.#inner = options.warehouse;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onMissing = options.onMissing;
  }

  /** Why it does not answer for now; undefined: it does. */
  get missing(): string | undefined {
    return this.#missing;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** One attempt. Resolves without being up when another may do better; rejects with what no repetition cures. */
  async run(): Promise<void> {
    this.#attempted = this.#attempt();
    this.#attempted.catch(() => undefined);
    const tooLong = new Promise<boolean>((resolve) => {
      this.#cancelTimer = this.#clock.after(firstPatienceMs, () => resolve(false));
    });
    const isThere = await Promise.race([this.#attempted, tooLong]);
    this.#cancelTimer();
    if (isThere) this.#state = 'up';
    else this.#note(this.#missing ?? 'the warehouse has not started yet');
  }

  /**
   * Tries until it is up. `join` hears then, before anybody else gets through, how far the warehouse had come, and
   * answers until when reads are refused. Rejects with what no repetition cures, and when it is stopped.
   */
  async keepTrying(join: (marks: readonly Watermark[]) => () => boolean): Promise<void> {
    let isThere = await this.#attempted;
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
      const marks = isThere ? await this.#inner.watermarks().catch(() => undefined) : undefined;
      if (this.isStopped) throw this.#refusal();
      if (marks !== undefined) {
        this.#areReadsHeld = join(marks);
        this.#state = 'up';
        this.#note(undefined);
        return;
      }
      await this.#sleep(retryMs);
      isThere = !this.isStopped && (await this.#attempt());
    }
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#cancelTimer();
    this.#giveUp();
    await this.#inner.stop();
  }

  insertFlush(block: FlushBlock): Promise<void> {
    return this.#call(() => this.#inner.insertFlush(block));
  }

  commit(mark: Watermark): Promise<void> {
    return this.#call(() => this.#inner.commit(mark));
  }

  watermarks(): Promise<Watermark[]> {
    return this.#call(() => this.#inner.watermarks());
  }

  loadSeries(visit: (rows: readonly SeriesRow[]) => void): Promise<void> {
    return this.#call(() => this.#inner.loadSeries(visit));
  }

  readStates(request: StatesRequest): Promise<StateColumns> {
    return this.#read(() => this.#inner.readStates(request));
  }

  readPoints(request: PointsRequest): Promise<PointColumns> {
    return this.#read(() => this.#inner.readPoints(request));
  }

  maintain(request: MaintainRequest): Promise<boolean> {
    return this.#call(() => this.#inner.maintain(request));
  }

  stats(): Promise<WarehouseStats> {
    return this.#call(() => this.#inner.stats());
  }

  #read<T>(work: () => Promise<T>): Promise<T> {
    return this.#areReadsHeld() ? Promise.reject(this.#refusal()) : this.#call(work);
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isUp) throw this.#refusal();
    try {
      const value = await work();
      this.#note(undefined);
      return value;
    } catch (error) {
      if (isAppError(error) && error.code === 'warehouse.unavailable' && this.isUp) {
        this.#note(error.message);
        this.#probeLater();
      }
      throw error;
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#inner.run();
      return true;
    } catch (error) {
      if (!isAppError(error) || !error.retryable) throw error;
      this.#note(error.message);
      return false;
    }
  }

  /** Nobody may ask for a long time, and it would be called missing as long. */
  #probeLater(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(probeEveryMs, () => {
      if (this.isUp && this.#missing !== undefined) this.stats().catch(() => undefined);
    });
  }

  #note(why: string | undefined): void {
    if (why === this.#missing || this.isStopped) return;
    const wasMissing = this.#missing !== undefined;
    this.#missing = why;
    this.#onMissing(why);
    if (why === undefined) this.#log('info', 'history is there again', {});
    else if (!wasMissing)
      this.#log('warn', 'history is missing; points are taken and shown live', { reason: why });
  }

  #refusal(): Error {
    const why = this.#missing ?? 'the warehouse is catching up';
    return appError(
      'warehouse.unavailable',
      `history is not available for now (${why}); what is in memory is, and nothing is lost: try again in a moment`,
    );
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#giveUp = () => {
        cancel();
        resolve();
      };
    });
  }
}
