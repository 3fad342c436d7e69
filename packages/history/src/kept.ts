import { normaliseQuery, partsOf, type ResolvedQuery } from '@nowcast/aggregate';
import { formatDuration, type Query } from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { Clock } from '@nowcast/kernel';
import type { OffsetVector, QueryLimits, StatesRequest } from '@nowcast/ports';
import { fineResolutions, sketchResolutions } from './resolutions.ts';
import { byStableId } from './selection.ts';
import type { HeadSource } from './sources.ts';
import type { StoredRows } from './stored-rows.ts';
import { tailReaches } from './tail-fold.ts';

/** How long single points, and states of less than an hour, are kept, ms. */
export interface Retention {
  rawMs: number;
  fineMs: number;
}

/** A question as it can be answered. */
export interface SettledQuery {
  query: Query;
  resolved: ResolvedQuery;
  /** What its answer lacks, in words for people; undefined: nothing that is kept. */
  note: string | undefined;
}

interface KeptOptions {
  index: SeriesIndex;
  head: HeadSource;
  warehouse: Pick<StoredRows, 'readStates'>;
  clock: Clock;
  retention: Retention;
}

/** Rows that the buckets of a query cannot be answered from although they hold points that are kept nowhere else. */
interface Lost extends Pick<StatesRequest, 'from' | 'to' | 'resolutions' | 'coarse'> {
  /** What the buckets would have to be multiples of, ms. */
  needs: number;
  /** Points of up to this age are in the answer all the same, ms. */
  wholeMs: number;
}

const hourMs = 3_600_000;
const counts = {
  scalar: true,
  extremes: false,
  ends: false,
  growth: false,
  quantiles: false,
  uniques: false,
};

/**
 * What retention has left of old points, for steps that they cannot be told at any more. States answer buckets that
 * they divide, and points the rest; but points go first, then the states of less than an hour. What lay in them is left
 * by the hour, and which series that concerns nobody knows without asking (docs/decisions/0026-steps-of-what-is-kept.md).
 */
export class KeptHistory {
  readonly #options: KeptOptions;

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  /**
   * A step that was not asked for becomes as wide as what is kept of the range needs; one that was asked for stays, and
   * the note says what it leaves out. Rejects with `query.*` and with what reading the warehouse rejects with.
   */
  async settle(tenant: string, query: Query, limits: QueryLimits): Promise<SettledQuery> {
    const now = this.#options.clock.now();
    const resolved = normaliseQuery(query, now);
    const lost = this.#couldBeLost(resolved, now);
    const found = lost.length === 0 ? [] : await this.#thatExist(tenant, resolved, lost, limits);
    if (found.length === 0) return { query, resolved, note: undefined };
    const needs = Math.max(...found.map((one) => one.needs));
    const step = stepText(Math.ceil(resolved.stepMs / needs) * needs);
    if (query.step === undefined) {
      const wider = { ...query, step };
      return { query: wider, resolved: normaliseQuery(wider, now), note: undefined };
    }
    const age = formatDuration(Math.min(...found.map((one) => one.wholeMs)));
    const kept = formatDuration(needs);
    const note = `complete for the last ${age} only: of what is older, some is kept by ${kept} alone; a step of ${step} shows all of it`;
    return { query, resolved, note };
  }

  #couldBeLost({ agg, from, to, buckets }: ResolvedQuery, now: number): Lost[] {
    const { rawMs, fineMs } = this.#options.retention;
    if (agg === 'none' || from >= now - Math.min(rawMs, fineMs)) return [];
    const borders = buckets.boundaries(from, to);
    const divides = (res: number) => borders.every((border) => border % res === 0);
    if (divides(hourMs) || tailReaches(this.#options.head.tails, from)) return [];
    const parts = partsOf(agg);
    const least = parts.quantiles || parts.uniques ? sketchResolutions[0] : 0;
    const unusable = fineResolutions.filter((res) => !divides(Math.max(res, least)));
    // Where states of less than an hour are gone, only points could still tell what is asked.
    const wholeMs = unusable.length === fineResolutions.length ? Math.max(rawMs, fineMs) : fineMs;
    const derived = { needs: hourMs, wholeMs, resolutions: fineResolutions, coarse: true };
    return [
      { ...derived, from, to: Math.min(to, now - wholeMs) },
      ...unusable.map((res) => ({
        needs: Math.max(res, least),
        wholeMs: rawMs,
        resolutions: [res],
        coarse: false,
        from: Math.max(from, now - fineMs),
        to: Math.min(to, now - rawMs),
      })),
    ].filter((one) => one.from < one.to);
  }

  async #thatExist(
    tenant: string,
    { metricType: metric, where }: ResolvedQuery,
    lost: readonly Lost[],
    limits: QueryLimits,
  ): Promise<Lost[]> {
    const { index, head } = this.#options;
    const handles = index.match(tenant, metric, where);
    const { ids } = byStableId({ tenant, metric, handles, units: handles }, index);
    if (ids.length === 0) return [];
    const pin = head.pin();
    try {
      const common = { at: pin.at, tenant, metric, series: ids, limits };
      const found = await Promise.all(lost.map((one) => this.#exists(common, one)));
      return lost.filter((_, i) => found[i]);
    } finally {
      pin.release();
    }
  }

  async #exists(
    common: { at: OffsetVector } & Pick<StatesRequest, 'tenant' | 'metric' | 'series' | 'limits'>,
    { from, to, resolutions, coarse }: Lost,
  ): Promise<boolean> {
    // A row of an hour begins with it.
    const hours = Float64Array.of(Math.floor(from / hourMs) * hourMs, Math.ceil(to / hourMs) * hourMs);
    const states = await this.#options.warehouse.readStates({
      ...common,
      groups: new Uint32Array(common.series.length),
      from: hours[0]!,
      to: hours[1]!,
      buckets: hours,
      resolutions,
      coarse,
      parts: counts,
    });
    return states.length > 0;
  }
}

/** Never days or weeks, which would be those of the calendar. */
function stepText(ms: number): string {
  return ms % hourMs === 0 ? `${ms / hourMs}h` : `${ms / 1000}s`;
}
