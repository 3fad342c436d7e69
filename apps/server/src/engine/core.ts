import { join } from 'node:path';
import {
  appError,
  type DataAnswer,
  type LabelValues,
  type MetricInfo,
  type Query,
  type SourceStatus,
  type Where,
} from '@nowcast/contract';
import { SeriesIndex } from '@nowcast/head';
import { QueryService, WarmStore } from '@nowcast/history';
import { type DurableRecord, IngestService } from '@nowcast/ingest';
import { AppError, assert } from '@nowcast/kernel';
import { LiveViewRegistry } from '@nowcast/live';
import type { EngineStats, HotStore, IngestAnswer, IngestRequest, OpenView, Watermark } from '@nowcast/ports';
import { Alerts, readAlerts } from './alerts/alerts.ts';
import type { LoggedControl } from './alerts/alert-engine.ts';
import { Catalog } from './catalog.ts';
import { checkpointPath, readCheckpoint } from './checkpoint.ts';
import { Checkpointer } from './checkpointer.ts';
import { ClockWatch } from './clock-watch.ts';
import { DeadLetters } from './dead-letters.ts';
import { Degraded, historyMissing } from './degraded.ts';
import type { EngineParts } from './engine-parts.ts';
import { FlushTrigger, mostUnflushed } from './flush-trigger.ts';
import { Flusher } from './flusher.ts';
import { newestFlushed, trimHotWindow } from './hot-window.ts';
import { LivePass } from './live-pass.ts';
import { createLiveSources, type LiveSourceParts } from './live-sources.ts';
import { NewPoints } from './new-points.ts';
import type { EngineOptions } from './options.ts';
import type { PartitionState } from './partition-state.ts';
import { PatientWarehouse } from './patient-warehouse.ts';
import { Pins } from './pins.ts';
import { recover } from './recovery.ts';
import { RetentionClock } from './retention-clock.ts';
import { SeriesFile } from './series-file.ts';
import { SeriesWatch } from './series-watch.ts';
import { engineStats, unflushedSize } from './stats.ts';
import { findStored } from './stored-history.ts';
import { Ticker } from './ticker.ts';
import { Upkeep } from './upkeep.ts';
import { isOf, WarmFile, type WarmState } from './warm-file.ts';

/** Views must be looked at now and then even when nothing arrives: windows slide, rankings settle. */
const idleTickMs = 1000;

/** What exists once recovery is through. */
interface Running {
  index: SeriesIndex;
  states: readonly PartitionState[];
  pins: Pins;
  ingest: IngestService;
  points: NewPoints;
  live: LiveViewRegistry;
  pass: LivePass;
  queries: QueryService;
  warm: WarmStore;
  catalog: Catalog;
  trigger: FlushTrigger;
  flusher: Flusher;
  upkeep: Upkeep;
  ticker: Ticker;
  alerts: Alerts;
  clockWatch: ClockWatch;
  checkpointer: Checkpointer;
}

/**
 * The engine: everything between the log and the screens, on one thread. It owns no rule of its own; it puts the
 * domains in order (durable → applied → ticked → published, marked → flushed → committed → cut) and wires them.
 */
export class EngineCore {
  readonly #parts: EngineParts;
  readonly #warehouse: PatientWarehouse;
  readonly #seriesFile: SeriesFile;
  readonly #degraded: Degraded;
  readonly #warmFile: WarmFile;
  #running: Running | undefined;
  #flushes = 0;
  #deadLetters = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { warehouse, clock, log } = parts;
    this.#warehouse = new PatientWarehouse({
      warehouse,
      clock,
      log,
      onMissing: (why) => this.#sayMissing(why),
    });
    this.#warmFile = new WarmFile(parts.options.dataDir, log);
    this.#degraded = new Degraded(parts.degraded);
    this.#seriesFile = new SeriesFile(join(parts.options.dataDir, 'engine.series'));
  }

  async run(): Promise<void> {
    const { options, eventLog, hot, clock, log } = this.#parts;
    // The log first: its lock keeps a second server out before that touches the warehouse's files.
    await eventLog.run();
    const carrying = this.#warmFile.read();
    await this.#warehouse.run();
    const index = new SeriesIndex(eventLog.partitions, () => options.seriesPerTenant);
    let states: readonly PartitionState[] = [];
    const tailOf = (handle: number) => states[index.partitionOf(handle)]!.tail;
    const ingest = new IngestService({
      clock,
      registry: index,
      recent: {
        newestOf: (handle) => tailOf(handle).newestOf(handle),
        has: (handle, timestamp, value) => tailOf(handle).has(handle, timestamp, value),
      },
      partitions: eventLog.partitions,
      append: (entries) => eventLog.append(entries),
      pastMs: options.pastMs,
      refusal: () => (unflushedSize(states) > mostUnflushed ? warehouseBehind() : undefined),
      broken: (error) => {
        log('error', error.message, { cause: String(error.cause) });
        this.#parts.fatal(error);
      },
    });
    const written = await readCheckpoint(checkpointPath(options.dataDir));
    const checkpoint = written?.epoch === eventLog.epoch ? written : undefined;
    const source = { log: eventLog, index, checkpoint };
    const stored = await findStored({
      ...source,
      warehouse: this.#warehouse,
      seriesFile: this.#seriesFile,
    });
    const deadLetters = new DeadLetters(join(options.dataDir, 'dead-letters.ndjson'), eventLog.epoch, log);
    await deadLetters.load();
    const controls: LoggedControl[] = [];
    states = await recover({ ...source, dedupe: ingest, stored, deadLetters, controls });
    this.#deadLetters = deadLetters.count;
    const lastReceivedAt = Math.max(...states.map((state) => state.lastReceivedAt));
    ingest.begin(lastReceivedAt);
    for (const state of states) hot.begin(state.tail.partition, newestFlushed(state));
    const retained = new RetentionClock(clock, log, checkpoint?.retentionAt ?? (lastReceivedAt || undefined));
    const running = this.#wire(index, states, ingest, retained);
    const carried = await carrying;
    if (carried !== undefined && isOf(carried, this.#warmState(states))) running.warm.take(carried);
    running.alerts.recover(await readAlerts(options.dataDir, eventLog.epoch), controls);
    this.#running = running;
    ingest.onDurable((durable) => this.#apply(running, durable));
    running.alerts.engine.begin();
    running.trigger.start(states);
    running.flusher.kick();
    running.upkeep.start();
    this.#idle(running);
    this.#sayMissing(this.#warehouse.missing);
    if (!this.#warehouse.isUp)
      this.#warehouse
        .keepTrying((marks) => this.#join(running, marks))
        .catch((error: unknown) => {
          if (!this.#warehouse.isStopped) this.#parts.fatal(error);
        });
    log('info', 'engine ready', {
      series: index.size,
      partitions: states.length,
      retainedPoints: states.reduce((sum, { tail }) => sum + tail.end - tail.first, 0),
      pendingFlushes: states.reduce((sum, { pending }) => sum + pending.length, 0),
    });
  }

  #wire(
    index: SeriesIndex,
    states: readonly PartitionState[],
    ingest: IngestService,
    retained: RetentionClock,
  ): Running {
    const { options, clock, eventLog, hot, defaults, log } = this.#parts;
    const warehouse = this.#warehouse;
    const pins = new Pins(states);
    const warm = new WarmStore({ index, warehouse, clock, ...warmLimits(options) });
    const { retention } = options;
    const queries = new QueryService({ index, head: pins, hot, warm, warehouse, clock, retention });
    const watch = new SeriesWatch(index);
    const liveParts = this.#wireLive({ index, watch, head: pins, reader: queries.reader }, states);
    const trigger = new FlushTrigger({
      clock,
      report: log,
      limits: options,
      append: (partition, from) =>
        ingest.appendControl(partition, { kind: 'flush', receivedAt: ingest.receivedAt(), from }),
    });
    const committed = () => this.#committed();
    const flusher = new Flusher({ states, index, warehouse, hot: inTurn(hot, warm), clock, log, committed });
    const upkeep = new Upkeep(warehouse, clock, log, () => {
      // The logged clock, but never ahead of the wall.
      const now = Math.min(Math.max(...states.map((state) => state.lastReceivedAt)), clock.now());
      return {
        at: states.map((state) => state.watermark),
        pinned: pins.vectors(),
        now,
        lateMs: options.lateMs,
        retention: new Map([['', retained.kept(now, retention)]]),
      };
    });
    const alerts = new Alerts({
      dataDir: options.dataDir,
      epoch: eventLog.epoch,
      clock,
      index,
      watch,
      states,
      reader: queries.reader,
      defaults,
      receivedAt: () => ingest.receivedAt(),
      lastReceivedAt: () => ingest.lastReceivedAt,
      append: (partition, record) => ingest.appendControl(partition, record),
      report: this.#parts.transitions,
      log,
    });
    return {
      index,
      states,
      pins,
      ingest,
      ...liveParts,
      queries,
      warm,
      catalog: new Catalog(index, pins.tails, defaults),
      trigger,
      flusher,
      upkeep,
      alerts,
      clockWatch: new ClockWatch(
        clock,
        () => ingest.lastReceivedAt,
        log,
        (why) => this.#degraded.say('clock', why),
      ),
      checkpointer: new Checkpointer({
        dataDir: options.dataDir,
        eventLog,
        seriesFile: this.#seriesFile,
        index,
        states,
        ingest,
        alerts,
        retained,
        log,
      }),
    };
  }

  #wireLive(
    parts: Pick<LiveSourceParts, 'index' | 'watch' | 'head' | 'reader'>,
    states: readonly PartitionState[],
  ): Pick<Running, 'points' | 'live' | 'pass' | 'ticker'> {
    const { options, clock, eventLog, log, publish } = this.#parts;
    const points = new NewPoints(
      parts.index,
      states.map(({ tail }) => tail),
    );
    const sources = createLiveSources({
      ...parts,
      clock,
      epoch: eventLog.epoch,
      warehouse: this.#warehouse,
      points,
      finishPass: () => pass.finish(),
      log,
    });
    const live = new LiveViewRegistry(sources, vectorOf(states));
    const ticker = new Ticker(clock, options.tickMs, () => pass.begin());
    const pass = new LivePass({
      live,
      points,
      at: () => vectorOf(states),
      publish,
      now: () => clock.monotonic(),
      ended: (begun, tookMs) => {
        ticker.took(begun, tookMs);
        // What was asked for meanwhile came to nothing.
        if (points.touchedCount > 0) ticker.request();
      },
    });
    return { points, live, pass, ticker };
  }

  /** Marks what is open and carries it into the warehouse; resolves when all that was applied before is there. */
  async flush(): Promise<void> {
    const { trigger, flusher } = this.#ready();
    await trigger.markAll();
    await flusher.settled();
  }

  /** Lets the flush that is being written finish, and closes. What is not flushed is in the log, for the next start. */
  async stop(): Promise<void> {
    const { eventLog } = this.#parts;
    const running = this.#running;
    this.#running = undefined;
    this.#cancelIdle?.();
    if (running !== undefined) {
      running.ticker.stop();
      running.trigger.stop();
      running.pass.finish();
      running.live.stop();
      await running.warm.stop();
      await running.upkeep.stop();
      await running.flusher.stop();
      running.alerts.end();
      await running.checkpointer.save();
      const state = this.#warmState(running.states);
      await this.#warmFile.write(running.warm.carried(state.at), state);
    }
    await eventLog.stop();
    await this.#warehouse.stop();
  }

  async ingest(request: IngestRequest): Promise<IngestAnswer> {
    return this.#ready().ingest.handle(request);
  }

  data(tenant: string, query: Query, signal: AbortSignal): Promise<DataAnswer> {
    return this.#ready().queries.data(tenant, query, signal);
  }

  metrics(tenant: string, search: string, limit: number): MetricInfo[] {
    return this.#ready().catalog.metrics(tenant, search, limit);
  }

  metricsNamed(tenant: string, names: readonly string[]): MetricInfo[] {
    return this.#ready().catalog.metricsNamed(tenant, names);
  }

  labels(tenant: string, metricType: string, where: Where, limit: number): LabelValues[] {
    return this.#ready().catalog.labels(tenant, metricType, where, limit);
  }

  sourceStatus(tenant: string, keyId: string): SourceStatus {
    return this.#ready().ingest.sourceStatus(tenant, keyId);
  }

  /** The views' registry, after everything applied has reached it. */
  get live(): LiveViewRegistry {
    return this.#ready().pass.views;
  }

  /** As what is kept can answer the query. Rejects as `QueryService.data` and `LiveViewRegistry.open` do. */
  async openView(tenant: string, query: Query): Promise<OpenView> {
    const settled = await this.#ready().queries.settle(tenant, query);
    return this.live.open(tenant, settled.query, settled.note);
  }

  get alerts(): Alerts {
    return this.#ready().alerts;
  }

  async stats(): Promise<EngineStats> {
    const { ingest, live, index, states, flusher, alerts, warm } = this.#ready();
    const { hot, logFigures, clock } = this.#parts;
    return engineStats({
      ingest: ingest.stats(),
      live: live.stats(),
      index,
      states,
      log: logFigures(),
      warehouse: await this.#warehouse.stats().catch(() => undefined),
      hot: hot.stats(),
      warm: warm.stats(),
      flushes: { done: this.#flushes, failed: flusher.failures },
      deadLetters: this.#deadLetters,
      alerts: { rules: alerts.engine.size, transitions: alerts.engine.transitions },
      now: clock.now(),
    });
  }

  #warmState(states: readonly PartitionState[]): WarmState {
    const { eventLog, options } = this.#parts;
    return {
      epoch: eventLog.epoch,
      at: states.map(({ watermark }) => watermark),
      retention: options.retention,
    };
  }

  #ready(): Running {
    if (this.#running === undefined)
      throw appError('server.unavailable', 'the engine is starting or stopping; try again in a moment');
    return this.#running;
  }

  #apply(running: Running, durable: DurableRecord): void {
    const { partition, offset } = durable;
    const state = running.states[partition];
    assert(state !== undefined, 'the log has as many partitions as the engine');
    if (durable.kind === 'points') {
      const { timestamps, values, extras, firstDefinition, definitions, receivedAt } = durable.record;
      const seriesEnd = firstDefinition + definitions.length;
      state.applyPoints({
        offset,
        receivedAt,
        handles: durable.handles,
        timestamps,
        values,
        extras,
        seriesEnd,
      });
      running.pass.note(durable.handles, receivedAt);
      running.alerts.points.note(durable.handles);
      running.ticker.request();
      running.alerts.engine.request();
      running.trigger.check(state);
    } else if (durable.record.kind === 'flush') {
      state.applyFlush(offset, durable.record.receivedAt);
      running.flusher.kick();
    } else {
      state.applyTick(offset, durable.record.receivedAt);
      running.alerts.engine.applied(offset, durable.record);
    }
  }

  #idle(running: Running): void {
    running.clockWatch.look();
    this.#cancelIdle = this.#parts.clock.after(idleTickMs, () => {
      running.ticker.request();
      running.alerts.engine.request();
      this.#idle(running);
    });
  }

  /** After a flush: memory and log may let go of what the warehouse has. */
  async #committed(): Promise<void> {
    this.#flushes++;
    const running = this.#running;
    if (running === undefined) return;
    const { states, pins, points, alerts } = running;
    trimHotWindow(states, pins, [points.advanced, alerts.engine.seen], this.#parts.options);
    await running.checkpointer.save();
    // What was due meanwhile has waited for this.
    for (const state of states) running.trigger.check(state);
  }

  /**
   * The warehouse came late. It may be ahead of the checkpoint that this life began with: the flushes between the two
   * are gone through once more, which inserts nothing, and only then it is read.
   */
  #join({ states, flusher }: Running, marks: readonly Watermark[]): () => boolean {
    const reached = new Map(marks.map(({ partition, to }) => [partition, to]));
    const isBehind = ({ watermark, tail }: PartitionState) => watermark < (reached.get(tail.partition) ?? 0);
    for (const { tail, watermark, nextOffset } of states) {
      const to = reached.get(tail.partition) ?? 0;
      if (to >= watermark && to <= nextOffset) continue;
      throw new AppError(
        'server.error',
        `the warehouse holds partition ${tail.partition} up to ${to}, and the log says between ${watermark} and ${nextOffset}; a restart compares the two again`,
      );
    }
    flusher.retry();
    return () => states.some(isBehind);
  }

  /** What readiness says; nothing while it starts, since nobody is answered then. */
  #sayMissing(why: string | undefined): void {
    const states = this.#running?.states;
    if (states === undefined) return;
    this.#degraded.say('history', why === undefined ? undefined : historyMissing(states, why));
  }
}

function warehouseBehind(): AppError {
  return appError(
    'ingest.busy',
    'the warehouse has not taken points for a long time; send the same again later',
    { details: { retry_after_s: 30 } },
  );
}

function warmLimits({ warmBytes, retention }: EngineOptions) {
  return { budgetBytes: warmBytes, retention };
}

/** A flush is put into each of them before readers' vectors reach it. */
function inTurn(...stores: readonly Pick<HotStore, 'put'>[]): Pick<HotStore, 'put'> {
  return {
    put: async (block) => {
      for (const store of stores) await store.put(block);
    },
  };
}

function vectorOf(states: readonly PartitionState[]): number[] {
  return states.map((state) => state.nextOffset);
}
