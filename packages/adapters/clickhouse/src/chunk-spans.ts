import type { ChunkRows } from '@nowcast/ports';
import { readNative } from './native-reader.ts';
import { dayMs, weekMs } from './schema.ts';
import { type SqlConnection, upkeepOptions } from './sql-connection.ts';

/** The sort key tells days apart: to know of less would not narrow a look any further. */
const ordinaryMs = dayMs;

/** A chunk whose last point comes later than a day after its first. */
export interface LongSpan {
  tenant: string;
  metric: string;
  /** Start of the week that the chunk starts in, epoch ms. */
  week: number;
  /** Milliseconds from its start to its last point. */
  length: number;
}

/** The longest of each metric and week in the table, which is read whole. */
export async function storedSpans(connection: SqlConnection): Promise<LongSpan[]> {
  const sql = `SELECT CAST(tenant, 'String') AS tenant_name, CAST(metric, 'String') AS metric_name,
    intDiv(start, ${weekMs}) * ${weekMs} AS week, max(until - start) AS length
    FROM chunks WHERE until - start > ${ordinaryMs} GROUP BY tenant_name, metric_name, week`;
  const rows = readNative(await connection.query(sql, {}, upkeepOptions));
  const [tenant, metric] = [rows.strings('tenant_name'), rows.strings('metric_name')];
  const [week, length] = [rows.numbers('week'), rows.numbers('length')];
  return tenant.map((of, i) => ({ tenant: of, metric: metric[i]!, week: week[i]!, length: length[i]! }));
}

/**
 * Which chunks are longer than a day. The sort key knows when a chunk starts and not when it ends: with
 * this, what overlaps a range is bounded from below as well, and older parts are not looked at, however many there are.
 * Hardly any chunk is longer than a day (a sparse series, or a past that was sent at once), so only those are noted.
 *
 * Lengths are only ever taken up, never forgotten: one that is gone costs a wider look.
 */
export class ChunkSpans {
  /** tenant and metric → week → length of the longest chunk that starts in it. */
  readonly #long = new Map<string, Map<number, number>>();
  /** Until then nothing is bounded. */
  isComplete = false;

  /** Every chunk was either noted or in the table when that began to be read. */
  complete(stored: Iterable<LongSpan>): void {
    for (const span of stored) this.#note(span);
    this.isComplete = true;
  }

  /** Chunks that are about to be stored. */
  note({
    count,
    tenant,
    metric,
    offsets,
    timestamps,
  }: Pick<ChunkRows, 'count' | 'tenant' | 'metric' | 'offsets' | 'timestamps'>): void {
    for (let i = 0; i < count; i++) {
      // Borders are stored as whole milliseconds, rounded down.
      const start = Math.floor(timestamps[offsets[i]!]!);
      const length = Math.floor(timestamps[offsets[i + 1]! - 1]!) - start;
      if (length <= ordinaryMs) continue;
      const week = Math.floor(start / weekMs) * weekMs;
      this.#note({ tenant: tenant[i]!, metric: metric[i]!, week, length });
    }
  }

  #note({ tenant, metric, week, length }: LongSpan): void {
    const key = keyOf(tenant, metric);
    let weeks = this.#long.get(key);
    if (weeks === undefined) this.#long.set(key, (weeks = new Map<number, number>()));
    weeks.set(week, Math.max(length, weeks.get(week) ?? 0));
  }

  /** No chunk of the metric that starts before this holds anything from `from` on, epoch ms; 0 while nobody knows. */
  startOf(tenant: string, metric: string, from: number): number {
    if (!this.isComplete) return 0;
    let earliest = Math.max(0, from - ordinaryMs);
    for (const [week, length] of this.#long.get(keyOf(tenant, metric)) ?? []) {
      if (week < earliest && week + weekMs + length > from)
        earliest = Math.min(earliest, Math.max(week, from - length));
    }
    return earliest;
  }
}

function keyOf(tenant: string, metric: string): string {
  return `${tenant}\n${metric}`;
}
