import type { OffsetVector, PointsRequest } from '@nowcast/ports';
import { chunkRes, type Generation, type Manifest } from './manifest.ts';
import { dayMs } from './schema.ts';
import { vectorLiteral } from './sql-literals.ts';

/**
 * Compaction replaces the chunks below this many points. Part of the meaning of a `compact` row of the manifest: a
 * change needs a new schema version.
 */
export const shortPoints = 200;

/**
 * The rows of `chunks` that a points request sees; expects the parameters tenant, metric, series, at, from, to, and
 * `earliest`: when the first chunk starts that may reach into the range.
 */
export function chunkConditions(manifest: Manifest, request: PointsRequest): string {
  const conditions = [
    'tenant = {tenant:String}',
    'metric = {metric:String}',
    request.series.length === 1 ? `series = ${request.series[0]!}` : 'series IN {series:Array(UInt64)}',
    'start >= {earliest:Int64}',
    'start < {to:Int64}',
    'until >= {from:Int64}',
    'flush_to <= {at:Array(UInt64)}[partition + 1]',
    ...generationConditions(manifest, request.at),
  ];
  if (request.statedAt !== undefined) {
    const column = request.bySketch === true ? 'sketch_res' : 'state_res';
    conditions.push(request.statedAt.length === 0 ? '0' : `${column} IN (${request.statedAt.join(', ')})`);
  }
  return conditions.join(' AND ');
}

/**
 * Hides, of every day that was compacted and not yet cleaned, what the reader's generation replaced, and generations
 * that the reader's vector does not reach. Days long compacted need no condition of their own: one generation is left.
 */
export function generationConditions(manifest: Manifest, at: OffsetVector): string[] {
  // A statement may wait for its turn while the next generation is stored beside what it replaces.
  const conditions = [`gen <= ${manifest.lastGen}`];
  for (const [day, generations] of manifest.periods(chunkRes)) {
    const used = manifest.generationAt(chunkRes, day, at);
    const newer = generations.filter(({ gen }) => gen > (used?.gen ?? 0));
    // By their numbers, which no other day has: what was joined may begin on the next day.
    if (newer.length > 0) conditions.push(`gen NOT IN (${newer.map(({ gen }) => gen).join(', ')})`);
    if (used !== undefined && !manifest.isClean(chunkRes, day, used.gen))
      conditions.push(`NOT (${replacedBy(day, used)})`);
  }
  return conditions;
}

/** The rows that a generation of a day replaced. */
export function replacedBy(day: number, { gen, vector }: Generation): string {
  return `start >= ${day} AND start < ${day + dayMs} AND n < ${shortPoints} AND gen < ${gen} AND flush_to <= ${vectorLiteral(vector)}[partition + 1]`;
}
