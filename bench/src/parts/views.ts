import { type QueryInput, querySchema, type SeriesDefinition } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import { inOneTurn } from '@nowcast/kernel/slices';
import { LiveViewRegistry, type LiveSources, type PointRun, type Tick } from '@nowcast/live';
import { machine, median } from '../harness/machine.ts';

const seriesCount = 1000;
const pointsPerSeriesAndTick = 50;
const tickMs = 50;
const ticksPerRun = 100;

/** What boards ask for: gauges, event rates, quantiles, totals over hosts, top lists; windows of a quarter of an hour. */
const kinds: Omit<QueryInput, 'metric_type'>[] = [
  { agg: 'avg' },
  { agg: 'avg', group_by: ['region'] },
  { agg: 'rate', step: '1s' },
  { agg: 'max', group_by: ['cluster'] },
  { agg: 'p95' },
  { agg: 'last', group_by: ['region'] },
  { agg: 'avg', across: 'sum' },
  { agg: 'increase', group_by: ['region'] },
  { agg: 'sum', group_by: ['cluster'], limit: 5 },
  { agg: 'count', step: '10s' },
];

function definitionOf(handle: number): SeriesDefinition {
  return {
    tenant: 't',
    metric_type: 'm',
    source: 'bench',
    labels: [
      ['cluster', `c${handle % 50}`],
      ['host', `web-${handle}`],
      ['region', `r${handle % 10}`],
    ],
  };
}

/** The engine without a log: one million points a second of simulated time, every series in every tick. */
class Source implements LiveSources {
  readonly clock = new ManualClock(1_800_000_000_000);
  readonly epoch = 'e';
  readonly instance = 'i';
  readonly #touched = Uint32Array.from({ length: seriesCount }, (_, handle) => handle);
  readonly #run: PointRun & { timestamps: Float64Array; values: Float64Array } = {
    from: 0,
    to: pointsPerSeriesAndTick,
    timestamps: new Float64Array(pointsPerSeriesAndTick),
    values: new Float64Array(pointsPerSeriesAndTick),
  };
  #offset = 0;

  watchSeries(_tenant: string, _query: unknown, onSeries: (handle: number, of: SeriesDefinition) => void) {
    for (let handle = 0; handle < seriesCount; handle++) onSeries(handle, definitionOf(handle));
    return () => undefined;
  }

  onDefect(error: unknown): void {
    throw error;
  }

  definitionOf(handle: number): SeriesDefinition {
    return definitionOf(handle);
  }

  seriesId(handle: number): bigint {
    return BigInt(handle);
  }

  async loadGrid(): Promise<undefined> {}

  async loadRecords(): Promise<[]> {
    return [];
  }

  next(): Tick {
    this.clock.advance(tickMs);
    const now = this.clock.now();
    this.#offset += 1;
    const { timestamps, values } = this.#run;
    for (let i = 0; i < timestamps.length; i++)
      timestamps[i] = now - tickMs + (i * tickMs) / timestamps.length;
    return {
      at: [this.#offset],
      receivedAt: now,
      touched: this.#touched,
      touchedCount: seriesCount,
      *gather() {},
      read: (i) => {
        const base = 50 + 20 * Math.sin((i + this.#offset) / 60);
        for (let i = 0; i < values.length; i++) values[i] = base + i / 100;
        return this.#run;
      },
    };
  }
}

async function measure(views: number) {
  const source = new Source();
  const registry = new LiveViewRegistry(source, [0], { cells: 20_000_000 });
  for (let i = 0; i < views; i++) {
    const kind = kinds[i % kinds.length]!;
    const minutes = 15 + Math.floor(i / kinds.length);
    await registry.open('t', querySchema.parse({ metric_type: 'm', window: `${minutes}m`, ...kind }));
  }
  for (let i = 0; i < 40; i++) inOneTurn(registry.advance(source.next()));
  const runs = [];
  let bytes = 0;
  for (let run = 0; run < 5; run++) {
    const cpu = process.cpuUsage();
    for (let i = 0; i < ticksPerRun; i++)
      for (const { body } of inOneTurn(registry.advance(source.next()))) bytes += body.length;
    const { user, system } = process.cpuUsage(cpu);
    runs.push((user + system) / 1e6);
  }
  const seconds = median(runs);
  const points = ticksPerRun * seriesCount * pointsPerSeriesAndTick;
  return {
    views,
    nanosecondsPerPoint: Math.round((seconds / points) * 1e9),
    pointsPerCpuSecond: Math.round(points / seconds),
    cpuMsPerTick: Number(((seconds / ticksPerRun) * 1000).toFixed(2)),
    deltaBytesPerTick: Math.round(bytes / (5 * ticksPerRun)),
    cells: registry.stats().cells,
  };
}

/** CPU cost of keeping live views up to date, values and encoded deltas included, at a million points a second. */
export async function benchViews(): Promise<unknown> {
  const results = [];
  for (const views of [0, 1, 10, 50]) results.push(await measure(views));
  return { measure: 'views', machine: machine(), seriesCount, tickMs, results };
}
