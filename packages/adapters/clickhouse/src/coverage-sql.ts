import type { Coverage, LateHour, Range } from './coverage.ts';
import { dayMs, hourMs } from './schema.ts';
import { vectorLiteral } from './sql-literals.ts';

/** The rows of a coverage as conditions on their tables; they expect the parameter `at`. */

/** Each range is a condition that the engine evaluates for every row. */
const manyRanges = 64;
/** More than there can be partitions: (hour, partition) as one number. */
const partitionNumbers = 65_536;
/** No `flush_to` is above it. */
const nothingAbove = 2n ** 64n - 1n;

/** Undefined: no fine rows are wanted. */
export function fineCondition(resolutions: readonly number[], coverage: Coverage): string | undefined {
  const { fine, late } = coverage;
  const lateRanges = rangesOf(late);
  if (fine.length + late.length === 0 || resolutions.length === 0) return undefined;
  const conditions = [];
  if (fine.length > 0) conditions.push(rangeCondition(fine));
  if (late.length > 0) conditions.push(`(${rangeCondition(lateRanges)} AND ${lateCondition(late)})`);
  const bounds = rangeCondition([boundsOf([...fine, ...lateRanges])]);
  return `${bounds} AND (${conditions.join(' OR ')}) AND res IN (${resolutions.join(', ')}) AND flush_to <= {at:Array(UInt64)}[partition + 1]`;
}

export function rangeCondition(ranges: readonly Range[]): string {
  const conditions = ranges.map(({ from, to }) => `(bucket >= ${from} AND bucket < ${to})`);
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`;
}

/** One plain range around everything, which is what the engine's indexes understand best. */
function boundsOf(ranges: readonly Range[]): Range {
  return ranges.reduce((all, { from, to }) => ({
    from: Math.min(all.from, from),
    to: Math.max(all.to, to),
  }));
}

/** Hours in a row are one range; of very many also those no more than a day apart: more is read, and looked up. */
function rangesOf(late: readonly LateHour[]): Range[] {
  const gapMs = late.length > manyRanges ? dayMs : 0;
  const ranges: Range[] = [];
  for (const { hour } of late) {
    const last = ranges.at(-1);
    if (last !== undefined && hour <= last.to + gapMs) last.to = hour + hourMs;
    else ranges.push({ from: hour, to: hour + hourMs });
  }
  return ranges;
}

/**
 * Late rows are those above what their hour was sealed at, partition by partition. Each hour has a vector of its own and
 * there may be a year of them, so the engine looks it up in a hash table.
 */
function lateCondition(late: readonly LateHour[]): string {
  const keys: number[] = [];
  const offsets: number[] = [];
  for (const { hour, above } of late) {
    for (const [partition, offset] of above) {
      keys.push((hour / hourMs) * partitionNumbers + partition);
      offsets.push(offset);
    }
  }
  const key = `toUInt64(intDiv(bucket, ${hourMs})) * ${partitionNumbers} + partition`;
  return `flush_to > transform(${key}, ${vectorLiteral(keys)}, ${vectorLiteral(offsets)}, toUInt64(${nothingAbove}))`;
}
