import { QueryGrid, type ResolvedQuery } from '@nowcast/aggregate';
import { type AggName, appError, type DataAnswer, type Query } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { Clock } from '@nowcast/kernel';
import type { HotStore, QueryLimits, Warehouse } from '@nowcast/ports';
import { CounterCells } from './counter-rows.ts';
import { KeptHistory, type Retention, type SettledQuery } from './kept.ts';
import { HistoryReader } from './reader.ts';
import { readRecords } from './records.ts';
import type { HeadSource } from './sources.ts';
import { hotFirst } from './stored-rows.ts';
import type { WarmStore } from './warm/warm-store.ts';

const timeoutMs = 30_000;
/** Cells of one answer: more than any table or chart shows, less than hurts. */
export const mostCells = 2_000_000;
/** Loads of a counter query before it gives up; only late points that keep arriving can use them up. */
const attempts = 5;

/** `GET /data`: one query, one answer, history and live joined at the moment of the answer. */
export class QueryService {
  readonly reader: HistoryReader;
  readonly #kept: KeptHistory;
  readonly #index: SeriesIndex;
  readonly #head: HeadSource;
  readonly #warehouse: Warehouse;
  readonly #clock: Clock;

  constructor(options: {
    index: SeriesIndex;
    head: HeadSource;
    hot: HotStore;
    warm: WarmStore | undefined;
    warehouse: Warehouse;
    clock: Clock;
    retention: Retention;
  }) {
    const { index, head, warm } = options;
    this.#index = index;
    this.#head = head;
    this.#warehouse = options.warehouse;
    this.#clock = options.clock;
    this.reader = new HistoryReader({
      index,
      head,
      warm,
      stored: hotFirst(options.hot, options.warehouse),
      clock: options.clock,
      rawMs: options.retention.rawMs,
    });
    this.#kept = new KeptHistory(options);
  }

  /** The question as what is kept can answer it; `KeptHistory.settle`. */
  settle(tenant: string, query: Query, signal?: AbortSignal): Promise<SettledQuery> {
    return this.#kept.settle(tenant, query, limitsOf(signal));
  }

  /** Rejects with `query.*`, `warehouse.unavailable` or `request.cancelled`. */
  async data(tenant: string, query: Query, signal?: AbortSignal): Promise<DataAnswer> {
    const { resolved, note } = await this.settle(tenant, query, signal);
    const limits = limitsOf(signal);
    if (resolved.agg === 'none') return this.#records(tenant, resolved, limits);
    const { grid, note: counters } = await this.#grid(tenant, resolved, limits);
    const notes = [note, counters].filter((one) => one !== undefined);
    return {
      ...this.#frame(resolved),
      series: grid.lines({ limit: resolved.limit, order: resolved.order }).map((line) => ({
        labels: line.labels,
        timestamp: Array.from(line.timestamps),
        value: Array.from(line.values),
      })),
      ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    };
  }

  async #grid(
    tenant: string,
    query: ResolvedQuery,
    limits: QueryLimits,
  ): Promise<{ grid: QueryGrid; note: string | undefined }> {
    const unchained = new CounterCells();
    for (let attempt = 0; attempt < attempts; attempt++) {
      const grid = gridOf(query);
      const selection = this.reader.select(tenant, query, grid);
      refuseTooLarge(query, grid, 'filter by a label, group by fewer, or ask for a longer step');
      const join = await this.reader.load(selection, grid, { limits, unchained });
      if (join.finish()) return { grid, note: join.note };
    }
    throw appError('query.timeout', 'late points of these counters keep arriving; ask again in a moment');
  }

  async #records(tenant: string, query: ResolvedQuery, limits: QueryLimits): Promise<DataAnswer> {
    const sources = { index: this.#index, head: this.#head, warehouse: this.#warehouse };
    const { rows, cursor } = await readRecords(sources, tenant, query, limits);
    return {
      ...this.#frame(query),
      series: [],
      points: rows.map((row) => row.record),
      ...(cursor === undefined ? {} : { cursor }),
    };
  }

  #frame(query: ResolvedQuery): Omit<DataAnswer, 'series'> {
    return {
      metric_type: query.metricType,
      agg: query.agg,
      across: query.across,
      step_ms: query.stepMs,
      from: query.from,
      to: query.to,
      complete_to: this.#clock.now(),
    };
  }
}

function limitsOf(signal: AbortSignal | undefined): QueryLimits {
  return { timeoutMs, ...(signal === undefined ? {} : { signal }) };
}

/** An empty grid for a query that asks for numbers. */
export function gridOf(query: ResolvedQuery): QueryGrid {
  return new QueryGrid({
    agg: query.agg as AggName,
    across: query.across,
    groupBy: query.groupBy,
    buckets: query.buckets,
    from: query.from,
    to: query.to,
  });
}

/** Throws `query.too_large` for more than `mostCells`; `instead` says what to ask for. */
export function refuseTooLarge(query: ResolvedQuery, grid: QueryGrid, instead: string): void {
  const cells = grid.unitCount * query.buckets.countIn(query.from, query.to);
  if (cells <= mostCells) return;
  throw appError(
    'query.too_large',
    `this makes up to ${cells} cells and ${mostCells} are the most; ${instead}`,
  );
}
