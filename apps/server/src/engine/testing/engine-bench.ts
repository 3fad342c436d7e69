import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, ManualClock } from '@nowcast/kernel';
import type {
  EventLog,
  HotStore,
  IngestRequest,
  OffsetVector,
  TransitionBatch,
  ViewFrame,
  Warehouse,
} from '@nowcast/ports';
import { readCheckpoint } from '../checkpoint.ts';
import { EngineCore } from '../core.ts';
import { defaultEngineOptions, type EngineOptions } from '../options.ts';
import { type CommittedFlush, type Fate, Life, mortalLog, mortalWarehouse } from './mortal.ts';

/** The real adapters, handed in by the test: nothing under the engine names a technology. */
export interface Adapters {
  openLog(dir: string): EventLog;
  openWarehouse(dir: string): { warehouse: Warehouse; kill: () => Promise<void> };
  openHotStore(budgetRows: number): HotStore;
}

export interface BenchOptions {
  adapters: Adapters;
  /** Where the clock stands when the bench is made, epoch ms; it moves only when it is told to. */
  nowMs: number;
  engine?: Partial<EngineOptions>;
}

interface Process {
  life: Life;
  fate: Fate;
  clock: ManualClock;
  core: EngineCore;
  log: EventLog;
  warehouse: Warehouse;
  killWarehouse: () => Promise<void>;
}

/** Far beyond what a test sends or waits: flushes happen when it says so, and nothing grows old. */
const never = 1e12;

/**
 * The whole engine on a folder of its own, in this thread: the real log and the real warehouse behind fences, so that
 * it can be killed at the moments that matter and started again on what is left.
 */
export class EngineBench {
  readonly #options: BenchOptions;
  readonly #dir = mkdtempSync(join(tmpdir(), 'nowcast-bench-'));
  #process: Process | undefined;
  #now: number;
  #deaths = 0;
  #upkeepNow = 0;
  /** Receives what the engine publishes. */
  onFrames: (frames: readonly ViewFrame[]) => void = () => undefined;
  /** Flushes of all its lives, in the order in which their watermarks moved. */
  readonly flushes: CommittedFlush[] = [];
  /** What the alert rules decided, in all its lives, repetitions included. */
  readonly batches: TransitionBatch[] = [];
  /** Warnings of all its lives. */
  readonly warnings: string[] = [];
  /** What readiness says is missing. */
  degraded: string | undefined;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.#now = options.nowMs;
  }

  get core(): EngineCore {
    return this.#running.core;
  }

  get clock(): ManualClock {
    return this.#running.clock;
  }

  get #running(): Process {
    assert(this.#process !== undefined, 'the bench is started');
    return this.#process;
  }

  async start(): Promise<void> {
    const { adapters, engine } = this.#options;
    const log = adapters.openLog(join(this.#dir, 'log'));
    const { warehouse, kill } = adapters.openWarehouse(join(this.#dir, 'warehouse'));
    const life = new Life();
    const fate: Fate = { flush: undefined, append: undefined };
    const clock = new ManualClock(this.#now);
    const midway = () => new Promise<void>((resolve) => setTimeout(resolve, (this.#deaths * 7) % 23));
    const fenced = mortalWarehouse(warehouse, life, fate, {
      midway,
      committed: (flush) => this.flushes.push(flush),
    });
    const core = new EngineCore({
      options: {
        ...defaultEngineOptions,
        partitions: log.partitions,
        flushPoints: never,
        flushAgeMs: never,
        ...engine,
        dataDir: this.#dir,
      },
      clock,
      eventLog: mortalLog(log, life, fate),
      logFigures: () => ({ counters: {}, gauges: {}, histograms: {} }),
      warehouse: fenced,
      hot: adapters.openHotStore(engine?.hotStates ?? defaultEngineOptions.hotStates),
      defaults: () => ({ default_agg: 'avg', default_across: 'merge' }),
      log: (level, message, fields) => {
        if (level !== 'info' && level !== 'debug') this.warnings.push(`${message} ${JSON.stringify(fields)}`);
      },
      publish: (frames) => this.onFrames(frames),
      transitions: (batch) => this.batches.push(batch),
      degraded: (why) => {
        this.degraded = why;
      },
      fatal: (error) => this.warnings.push(`fatal: ${String(error)}`),
    });
    this.#process = { life, fate, clock, core, log, warehouse: fenced, killWarehouse: kill };
    await core.run();
  }

  ingest(text: string, request: Partial<IngestRequest> = {}): ReturnType<EngineCore['ingest']> {
    return this.core.ingest({
      tenant: 'acme',
      keyId: 'k1',
      format: 'ndjson',
      precision: 'ms',
      encoding: 'identity',
      idempotencyKey: undefined,
      body: new TextEncoder().encode(text),
      ...request,
    });
  }

  /** Kills the engine inside the append of what `send` sends, and starts it again. */
  async crashInAppend(how: 'lost' | 'stored', send: () => Promise<unknown>): Promise<void> {
    const { life, fate } = this.#running;
    fate.append = how;
    const answered = send();
    await Promise.race([life.ended, answered]);
    await this.crash();
  }

  /** Kills the engine inside a flush of everything, and starts it again. */
  async crashInFlush(flush: NonNullable<Fate['flush']>): Promise<void> {
    const { life, fate, core } = this.#running;
    fate.flush = flush;
    await Promise.race([life.ended, core.flush()]);
    await this.crash();
  }

  /** SIGKILL: whatever is under way is lost or not, and nobody hears of it. Then a new start on the same folder. */
  async crash(): Promise<void> {
    const { life, log, clock, killWarehouse } = this.#running;
    this.#process = undefined;
    this.#now = clock.now();
    this.#deaths += 1;
    life.end();
    await killWarehouse();
    await log.stop();
    await this.start();
  }

  /** SIGTERM and a new start, with a clock that goes on or says something else. */
  async restart(nowMs = this.clock.now()): Promise<void> {
    const { core } = this.#running;
    this.#process = undefined;
    this.#now = nowMs;
    await core.stop();
    await this.start();
  }

  /** Time passes and everything that follows from it is done: ticks, reloads of views. */
  async settle(): Promise<void> {
    const { clock, life } = this.#running;
    for (let i = 0; i < 4; i += 1) {
      await life.quiet();
      clock.advance(1000);
      this.tick();
    }
    await life.quiet();
    this.tick();
  }

  /** Views first: points that they have not seen yet stay in memory, flushed or not. */
  async flush(): Promise<void> {
    this.tick();
    await this.core.flush();
  }

  /** The pass of the live views that the timer would make; reading the registry makes it. */
  tick(): void {
    assert(this.core.live !== undefined, 'the engine runs');
  }

  /** Upkeep of the warehouse as if its periods were long over; at most so many pieces of it. */
  async maintain(mostPieces: number): Promise<void> {
    const { warehouse, clock } = this.#running;
    const { watermark } = await this.positions();
    // Some checks happen once an hour, and only for days long gone.
    this.#upkeepNow = Math.max(this.#upkeepNow + 3_600_001, clock.now() + 30 * 86_400_000);
    const request = {
      at: watermark,
      now: this.#upkeepNow,
      lateMs: 0,
      retention: new Map([['', { rawMs: never, fineMs: never, coarseMs: never }]]),
    };
    for (let i = 0; i < mostPieces; i += 1) if (!(await warehouse.maintain(request))) return;
  }

  async positions(): Promise<{
    epoch: string;
    head: OffsetVector;
    tail: OffsetVector;
    watermark: number[];
    dedupe: number[];
  }> {
    const { log, warehouse } = this.#running;
    const marks = new Map((await warehouse.watermarks()).map(({ partition, to }) => [partition, to]));
    const checkpoint = await readCheckpoint(join(this.#dir, 'engine.checkpoint'));
    const perPartition = Array.from({ length: log.partitions }, (_, partition) => partition);
    return {
      epoch: log.epoch,
      head: [...log.head()],
      tail: [...log.tail()],
      watermark: perPartition.map((partition) => marks.get(partition) ?? 0),
      dedupe: perPartition.map((partition) => checkpoint?.offsets[partition] ?? 0),
    };
  }

  /** A file of the data folder as text; empty when there is none. */
  readFile(name: string): string {
    const path = join(this.#dir, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** As if a person had taken it away. */
  removeFile(name: string): void {
    rmSync(join(this.#dir, name));
  }

  async destroy(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    await running?.core.stop();
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
