import { maxBuckets, normaliseQuery, type QueryGrid, type ResolvedQuery } from '@nowcast/aggregate';
import { coarser, type Decision, HistoryRun, RuleEvaluator, type RulePlan } from '@nowcast/alerts';
import { appError } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import {
  CounterCells,
  gridOf,
  type HistoryReader,
  mostCells,
  refuseTooLarge,
  type Selection,
} from '@nowcast/history';
import { inSlices } from '@nowcast/kernel/slices';
import type { QueryLimits } from '@nowcast/ports';

/** A range begins and ends within a part. */
const edgeParts = 2;
/** Parts of a window that one run goes through at most. */
const mostParts = maxBuckets - edgeParts;
const attempts = 5;
const timeoutMs = 30_000;
const day = 86_400_000;

/** Lets rules run over what is stored: what they learn before they begin, and what they would have said. */
export class RuleHistory {
  readonly #index: SeriesIndex;
  readonly #reader: HistoryReader;

  constructor(index: SeriesIndex, reader: HistoryReader) {
    this.#index = index;
    this.#reader = reader;
  }

  /**
   * Parts that one run of the rule can go through: fewer the more groups it has, or series that it looks at one by one.
   * Throws `query.invalid`.
   */
  mostParts(tenant: string, plan: RulePlan): number {
    const units = plan.queries.map((_, side) => {
      const query = queryOf(plan, side, 0, plan.partMs);
      const grid = gridOf(query);
      this.#reader.select(tenant, query, grid);
      return grid.unitCount;
    });
    return Math.max(1, Math.min(mostParts, Math.floor(mostCells / Math.max(...units)) - edgeParts));
  }

  /**
   * A rule as it would stand at `now` had it been there before: full windows, and baselines that learned from the last
   * `learnedMs`.
   */
  async seed(
    tenant: string,
    plan: RulePlan,
    now: number,
  ): Promise<{ evaluator: RuleEvaluator; learnedMs: number }> {
    const evaluator = new RuleEvaluator(plan);
    const { most } = learning(plan);
    if (most === 0) {
      await this.#fill(tenant, evaluator, now, () => undefined);
      return { evaluator, learnedMs: 0 };
    }
    const parts = this.mostParts(tenant, plan);
    const coarse = coarser(plan, most / parts);
    const learnedMs = Math.min(most, coarse.partMs * parts);
    const teacher = await this.run(tenant, coarse, now - learnedMs, now, () => undefined);
    await this.#fill(tenant, evaluator, now, (filled) => filled.learnFrom(teacher));
    return { evaluator, learnedMs };
  }

  /**
   * Runs a rule over [from, to), in slices. The plan's parts must be wide enough for the range (`coarser`, `mostParts`).
   * Rejects with `query.*`, `warehouse.unavailable` or `request.cancelled`.
   */
  async run(
    tenant: string,
    plan: RulePlan,
    from: number,
    to: number,
    onPart: (decisions: readonly Decision[], at: number, rule: RuleEvaluator) => void,
    signal?: AbortSignal,
  ): Promise<RuleEvaluator> {
    const evaluator = new RuleEvaluator(plan);
    await this.#feed(
      tenant,
      evaluator,
      from,
      to,
      (decisions, at) => onPart(decisions, at, evaluator),
      signal,
    );
    return evaluator;
  }

  async #fill(
    tenant: string,
    evaluator: RuleEvaluator,
    now: number,
    prepare: (evaluator: RuleEvaluator) => void,
  ): Promise<void> {
    const { windowMs, delayMs, condition } = evaluator.plan;
    const windows = condition.kind === 'change' && condition.against === 'previous' ? 2 : 1;
    const reach = windowMs * windows + delayMs;
    await this.#feed(
      tenant,
      evaluator,
      now - reach,
      now,
      () => undefined,
      undefined,
      () => prepare(evaluator),
    );
  }

  async #feed(
    tenant: string,
    evaluator: RuleEvaluator,
    from: number,
    to: number,
    onPart: (decisions: readonly Decision[], at: number) => void,
    signal: AbortSignal | undefined,
    beforeRun?: () => void,
  ): Promise<void> {
    const { partMs } = evaluator.plan;
    const start = Math.floor(from / partMs) * partMs;
    const end = (Math.floor(to / partMs) + 1) * partMs;
    const run = new HistoryRun(evaluator);
    const sides = evaluator.plan.queries.map((_, side) =>
      this.#read(tenant, evaluator, side, start, end, run, signal),
    );
    await Promise.all(sides);
    beforeRun?.();
    const parts = run.run(start, end, to, (decisions, at) => {
      if (signal?.aborted === true) throw appError('request.cancelled', 'the request was cancelled');
      onPart(decisions, at);
    });
    await inSlices(parts);
  }

  async #read(
    tenant: string,
    evaluator: RuleEvaluator,
    side: number,
    from: number,
    to: number,
    run: HistoryRun,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const query = queryOf(evaluator.plan, side, from, to);
    const limits: QueryLimits = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const unchained = new CounterCells();
    for (let attempt = 0; attempt < attempts; attempt++) {
      const grid = gridOf(query);
      const selection = this.#reader.select(tenant, query, grid);
      refuseTooLarge(query, grid, 'filter by a label, group by fewer, or choose a longer window');
      const join = await this.#reader.load(selection, grid, { limits, unchained });
      if (!join.finish()) continue;
      await inSlices(this.#addCells(selection, grid, side, run));
      return;
    }
    throw appError('query.timeout', 'late points of these counters keep arriving; try again in a moment');
  }

  *#addCells(
    { handles, units }: Selection,
    grid: QueryGrid,
    side: number,
    run: HistoryRun,
  ): Generator<void, void> {
    const fed = new Set<number>();
    for (const [i, handle] of handles.entries()) {
      const unit = units[i]!;
      if (fed.has(unit)) continue;
      fed.add(unit);
      const name = String(this.#index.idOf(handle));
      grid.forEachCell(unit, run.addSeries(side, this.#index.definitionOf(handle), name));
      yield;
    }
  }
}

/** What history is asked for one side of a rule: states of its parts in [from, to), epoch ms. */
function queryOf(
  { partMs, groupBy, queries }: RulePlan,
  side: number,
  from: number,
  to: number,
): ResolvedQuery {
  const { metricType, agg, across, where } = queries[side]!;
  return normaliseQuery(
    {
      metric_type: metricType,
      agg,
      across,
      where,
      group_by: [...groupBy],
      from,
      to,
      step: `${partMs}ms`,
      tz: 'UTC',
      order: 'desc',
    },
    to,
  );
}

/** How much of the past a rule's baseline learns from, ms: as much as is of use, and the least that it can do with. */
export function learning({ condition, windowMs, delayMs }: RulePlan): { most: number; least: number } {
  // The first value is that of a whole window, and stands for five minutes.
  const first = 2 * windowMs + delayMs + 600_000;
  if (condition.kind === 'anomaly') return { most: 21 * day, least: day + first };
  if (condition.kind !== 'change' || condition.against === 'previous') return { most: 0, least: 0 };
  const reach = (condition.against === 'week' ? 7 * day : day) + first;
  return { most: reach, least: reach };
}
