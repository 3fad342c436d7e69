import { randomUUID } from 'node:crypto';
import { appError } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import { CounterCells, type HistoryReader, type HeadSource, readRecords } from '@nowcast/history';
import type { Clock } from '@nowcast/kernel';
import type { FeedRecord, GridLoad, LiveSources, RecordLoad } from '@nowcast/live';
import type { Warehouse } from '@nowcast/ports';
import type { EngineLog } from './embedded-engine.ts';
import type { NewPoints } from './new-points.ts';
import type { SeriesWatch } from './series-watch.ts';

const timeoutMs = 30_000;
const attempts = 3;

export interface LiveSourceParts {
  clock: Clock;
  epoch: string;
  index: SeriesIndex;
  watch: SeriesWatch;
  head: HeadSource;
  warehouse: Warehouse;
  reader: HistoryReader;
  points: NewPoints;
  /** Does the rest of a pass that is running: a view that was loaded takes its place between two of them. */
  finishPass: () => void;
  log: EngineLog;
}

/** Wires live views to the head and to history; the domains do not know each other. */
export function createLiveSources(options: LiveSourceParts): LiveSources {
  const { index, points, watch } = options;
  return {
    clock: options.clock,
    epoch: options.epoch,
    instance: randomUUID(),
    onDefect: (error, consequence) =>
      options.log('error', 'a live view failed', {
        consequence,
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    seriesId: (handle) => index.idOf(handle),
    definitionOf: (handle) => index.definitionOf(handle),
    watchSeries: (tenant, query, onSeries) => watch.watch(tenant, query, onSeries),
    loadGrid: (load) => loadGrid(options, load, points.ends()),
    loadRecords: (load) => loadRecords(options, load, points.ends()),
  };
}

async function loadGrid(
  { reader, finishPass }: LiveSourceParts,
  load: GridLoad,
  until: readonly number[],
): Promise<string | undefined> {
  const selection = {
    tenant: load.tenant,
    metric: load.query.metricType,
    handles: load.handles,
    units: load.units,
  };
  const unchained = new CounterCells();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const join = await reader.load(selection, load.grid, { limits: { timeoutMs }, until, unchained });
    finishPass();
    if (join.finish()) return join.note;
    for (const unit of selection.units) load.grid.resetUnit(unit);
  }
  throw appError('query.timeout', 'late points of these counters keep arriving; try again in a moment');
}

async function loadRecords(
  sources: LiveSourceParts,
  load: RecordLoad,
  until: readonly number[],
): Promise<FeedRecord[]> {
  const query = {
    ...load.query,
    from: load.from,
    to: load.to,
    limit: load.limit,
    order: 'desc' as const,
    cursor: undefined,
  };
  const { rows } = await readRecords(sources, load.tenant, query, { timeoutMs }, until);
  sources.finishPass();
  return rows.reverse();
}
