import type { Clock, Service } from '@nowcast/kernel';
import type { Engine, EngineStats, HistogramSnapshot } from '@nowcast/ports';
import type { Logger } from '../log.ts';
import { quantileBetween } from '../metrics/histogram.ts';
import { HostSampler, type Sample } from './host-sample.ts';

export interface CollectorOptions {
  engine: Engine;
  /** The tenant that owns the host's figures; undefined until there is one. */
  tenant: () => Promise<string | undefined>;
  host: string;
  gateway: () => { viewers: number; stalenessP99Ms: number };
  eventToFrameMs: () => HistogramSnapshot;
  clock: Clock;
  log: Logger;
}

const everyMs = 1000;
/** A timer may fire a little before the wall clock is there; that is the second it was set for, not the one before. */
const earlyMs = 100;

/**
 * Measures this machine and the server itself once a second and sends it the way everybody sends points: as NDJSON
 * through the engine's ingest. A second that takes too long is skipped, never caught up: a late sample would claim a
 * time at which nothing was measured.
 */
export class Collector implements Service {
  readonly #options: CollectorOptions;
  readonly #host: HostSampler;
  #cancel: (() => void) | undefined;
  #busy: Promise<void> | undefined;
  #tenant: string | undefined;
  #delays: HistogramSnapshot | undefined;
  #complained = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#host = new HostSampler(options.host);
  }

  run(): Promise<void> {
    this.#schedule();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#busy;
  }

  /** On whole seconds, so that all hosts' points meet in the same buckets. */
  #schedule(): void {
    const { clock } = this.#options;
    const delayMs = this.#second() + everyMs - clock.now();
    this.#cancel = clock.after(delayMs, () => {
      this.#schedule();
      if (this.#busy !== undefined) return;
      this.#busy = this.#round(this.#second()).finally(() => {
        this.#busy = undefined;
      });
    });
  }

  /** Epoch milliseconds of the second that has begun. */
  #second(): number {
    return Math.floor((this.#options.clock.now() + earlyMs) / everyMs) * everyMs;
  }

  async #round(timestamp: number): Promise<void> {
    const { engine, tenant, log } = this.#options;
    try {
      this.#tenant ??= await tenant();
      const samples = await this.#host.sample();
      if (this.#tenant === undefined) return;
      samples.push(...(await this.#ownSamples()));
      const answer = await engine.ingest({
        tenant: this.#tenant,
        keyId: '',
        format: 'ndjson',
        precision: 'ms',
        encoding: 'identity',
        idempotencyKey: undefined,
        body: encode(samples, timestamp, this.#options.host),
      });
      if (answer.status >= 400)
        throw new Error(`ingest answered ${answer.status}: ${answer.body.slice(0, 300)}`);
      this.#complained = false;
    } catch (error) {
      // Once, until it works again: this would be a line a second.
      if (!this.#complained) log.warn('the host could not be measured', { error });
      this.#complained = true;
    }
  }

  async #ownSamples(): Promise<Sample[]> {
    const { engine, gateway, eventToFrameMs, host } = this.#options;
    const samples: Sample[] = [];
    const add = (
      metric_type: string,
      value: number | undefined,
      labels: Record<string, string> = {},
    ): void => {
      if (value !== undefined) samples.push({ metric_type, value, labels: { host, ...labels } });
    };
    const stats = await engine.stats();
    for (const [metric, find] of Object.entries(engineFigures)) add(metric, find(stats));
    const { viewers, stalenessP99Ms } = gateway();
    add('nowcast_viewers', viewers);
    add('nowcast_staleness_ms', Math.round(stalenessP99Ms));
    const delays = eventToFrameMs();
    if (this.#delays !== undefined) {
      add('nowcast_event_to_frame_ms', quantileBetween(this.#delays, delays, 0.5), { quantile: 'p50' });
      add('nowcast_event_to_frame_ms', quantileBetween(this.#delays, delays, 0.99), { quantile: 'p99' });
    }
    this.#delays = delays;
    const cpu = process.cpuUsage();
    add('nowcast_rss_bytes', process.memoryUsage.rss());
    add('nowcast_cpu_seconds', (cpu.user + cpu.system) / 1e6, { thread: 'process' });
    return samples;
  }
}

/** Our metric → where the engine has it. What an engine does not count is left out. */
const engineFigures: Readonly<Record<string, (stats: EngineStats) => number | undefined>> = {
  nowcast_ingest_points: ({ counters }) => counters['ingest_points_total'],
  nowcast_log_bytes: ({ counters }) => counters['log_bytes_total'],
  nowcast_views: ({ gauges }) => gauges['views'],
  nowcast_warehouse_lag_seconds: ({ gauges }) => gauges['warehouse_lag_seconds'],
};

function encode(samples: readonly Sample[], timestamp: number, source: string): Uint8Array<ArrayBuffer> {
  let text = '';
  for (const { metric_type, value, labels } of samples) {
    text += `${JSON.stringify({ metric_type, value, timestamp, source, labels })}\n`;
  }
  return new TextEncoder().encode(text);
}
