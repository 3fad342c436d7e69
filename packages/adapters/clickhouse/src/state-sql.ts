import { powersOfTen } from '@nowcast/aggregate';
import type { StateParts, StatesRequest } from '@nowcast/ports';
import type { Coverage } from './coverage.ts';
import { fineCondition, rangeCondition } from './coverage-sql.ts';
import type { SqlParams } from './sql-literals.ts';

/**
 * Compiles a states request into one statement: fine and coarse rows brought to the same columns (`v_…`), then merged
 * by (group, bucket) exactly as the engine merges them in memory. Only the columns the answer needs are named.
 */
export interface Statement {
  sql: string;
  params: SqlParams;
  /** Bucket index of the answer's `b` column. */
  bucketOf: (b: number) => number;
}

/** What marks rows of series that belong to no group; they are dropped from the answer. */
export const noGroup = 4_294_967_295;
/** From this many series on, the index alone finds them and `transform` tells which rows are theirs. */
const hintedSeries = 64;

const fineValue = (bitsColumn: string, scaled: string) =>
  `if(scale = 0, reinterpretAsFloat64(${bitsColumn}), (${scaled}) / scale)`;
const fineTime = (column: string) =>
  `if(time_scale = 0, reinterpretAsFloat64(${column}), bucket + ${column} / time_scale)`;

const coarseValue = (column: string, scaled: string) => `if(scale = 0, ${column}, (${scaled}) / scale)`;

/** The columns of one row, from the fine table and from the coarse one. */
const scalarColumns = [
  ['v_n', 'toUInt64(n)', 'n'],
  [
    'v_sum',
    fineValue('total', 'total + toInt64(n) * first'),
    coarseValue('sum', 'total_i + toInt64(n) * first_i'),
  ],
] as const;
const extremeColumns = [
  ['v_min', fineValue('low', 'first - low'), coarseValue('min', 'first_i - low_i')],
  ['v_max', fineValue('high', 'first + high'), coarseValue('max', 'first_i + high_i')],
] as const;
const signBit = `toUInt64(${2n ** 63n})`;
/** Bits that compare as the doubles do: those of negative numbers turned over, the sign of the others set. */
const sortable = (value: string) => {
  const bits = `reinterpretAsUInt64(toFloat64(${value}))`;
  return `if(${bits} < ${signBit}, bitOr(${bits}, ${signBit}), bitNot(${bits}))`;
};
/**
 * (time, value) of a point as one 128-bit number, because comparing tuples costs the engine twice the time; the least
 * and the greatest of them are the first and the last point, and hold all there is to know of them. Times are never
 * negative, so their bits compare as they do. Little endian: the time is the higher half.
 */
const key = (time: string, value: string) =>
  `reinterpretAsUInt128(concat(reinterpretAsFixedString(${sortable(value)}), reinterpretAsFixedString(toFloat64(${time}))))`;
const endColumns = [
  ['v_first', fineValue('first', 'first'), coarseValue('first', 'first_i')],
  ['v_first_key', key(fineTime('first_in'), 'v_first'), key('first_at', 'v_first')],
  ['v_last', fineValue('last', 'first + last'), coarseValue('last', 'first_i + last_i')],
  ['v_last_key', key(fineTime('last_in'), 'v_last'), key('last_at', 'v_last')],
] as const;
const growthColumns = [
  ['v_growth', fineValue('growth', 'growth'), coarseValue('growth', 'growth_i')],
] as const;
const quantileColumns = [
  ['v_dd_index', 'dd_index', 'dd_index'],
  ['v_dd_count', "CAST(dd_count, 'Array(UInt64)')", 'dd_count'],
] as const;
const uniqueColumns = [
  ['v_hll_register', 'hll_register', 'hll_register'],
  ['v_hll_rank', 'hll_rank', 'hll_rank'],
] as const;

const mergeScalar = `sum(v_n) AS o_n, sum(v_sum) AS o_sum`;
const mergeExtremes = `min(v_min) AS o_min, max(v_max) AS o_max`;
const mergeEnds = `min(v_first_key) AS o_first_key, max(v_last_key) AS o_last_key`;
/**
 * Growth of rows one after the other: what each grew and what it grew by in between, a reset counting from zero.
 * NaN when they overlap, because then the points of one lie between the points of the other. Rows that meet in one
 * point (same time, same value) do not overlap.
 */
const mergeGrowth = `arraySort(groupArray((v_first_key, v_last_key, v_first, v_last, v_growth))) AS rows_in_time,
  if(arrayExists((a, b) -> a.2 > b.1, arrayPopBack(rows_in_time), arrayPopFront(rows_in_time)), nan,
    arraySum(r -> r.5, rows_in_time)
      + arraySum((a, b) -> if(b.3 >= a.4, b.3 - a.4, b.3), arrayPopBack(rows_in_time), arrayPopFront(rows_in_time))) AS o_growth`;
const mergeQuantiles = `sumMap(v_dd_index, v_dd_count) AS o_dd`;
const mergeUniques = `maxMap(v_hll_register, v_hll_rank) AS o_hll`;

type ColumnSource = readonly (readonly [name: string, fine: string, coarse: string])[];

function stateColumnsOf(parts: StateParts): ColumnSource {
  return [
    ...(parts.scalar ? scalarColumns : []),
    ...(parts.extremes ? extremeColumns : []),
    ...(parts.ends || parts.growth ? endColumns : []),
    ...(parts.growth ? growthColumns : []),
  ];
}

const timeOf = (name: string) => `reinterpretAsFloat64(toUInt64(bitShiftRight(${name}, 64)))`;
const valueOf = (name: string) =>
  `reinterpretAsFloat64(if(toUInt64(${name}) < ${signBit}, bitNot(toUInt64(${name})), bitXor(toUInt64(${name}), ${signBit})))`;
const unpackEnds = `${valueOf('o_first_key')} AS o_first, ${timeOf('o_first_key')} AS o_first_at,
  ${valueOf('o_last_key')} AS o_last, ${timeOf('o_last_key')} AS o_last_at`;

/**
 * `lastGen`: newest generation that was adopted. What is derived while the statement waits for its turn lies above it,
 * beside the rows it stands for.
 */
export function statesStatement(request: StatesRequest, coverage: Coverage, lastGen: number): Statement {
  const { parts } = request;
  const ends = parts.ends || parts.growth;
  const merged = [
    parts.scalar ? mergeScalar : '',
    parts.extremes ? mergeExtremes : '',
    ends ? mergeEnds : '',
    parts.growth ? mergeGrowth : '',
  ];
  const shown = ['g', 'b'];
  if (parts.scalar) shown.push('o_n', 'o_sum');
  if (parts.extremes) shown.push('o_min', 'o_max');
  if (ends) shown.push(unpackEnds);
  if (parts.growth) shown.push('o_growth');
  const tables = { fine: 'states', coarse: 'states_coarse' };
  return compile(request, coverage, lastGen, { tables, columns: stateColumnsOf(parts), merged, shown });
}

export function sketchesStatement(request: StatesRequest, coverage: Coverage, lastGen: number): Statement {
  const { parts } = request;
  const columns = [...(parts.quantiles ? quantileColumns : []), ...(parts.uniques ? uniqueColumns : [])];
  const merged = [parts.quantiles ? mergeQuantiles : '', parts.uniques ? mergeUniques : ''];
  const shown = ['g', 'b'];
  if (parts.quantiles) shown.push('o_dd.1 AS o_dd_index', 'o_dd.2 AS o_dd_count');
  if (parts.uniques) shown.push('o_hll.1 AS o_hll_register', 'o_hll.2 AS o_hll_rank');
  return compile(request, coverage, lastGen, {
    tables: { fine: 'sketches', coarse: 'sketches_coarse' },
    columns,
    merged,
    shown,
  });
}

interface Shape {
  tables: { fine: string; coarse: string };
  columns: ColumnSource;
  merged: readonly string[];
  shown: readonly string[];
}

function compile(request: StatesRequest, coverage: Coverage, lastGen: number, shape: Shape): Statement {
  const bucket = bucketExpression(request.buckets);
  const group = groupExpression(request);
  const keys = `${group.sql} AS g, ${bucket.sql} AS b`;
  const select = (table: string, column: 1 | 2, where: string) => {
    const columns = shape.columns.map((source) => `${source[column]} AS ${source[0]}`);
    return `SELECT ${[keys, ...columns].join(', ')} FROM ${table} WHERE tenant = {tenant:String} AND metric = {metric:String} AND ${group.filter} AND ${where}`;
  };
  const selects: string[] = [];
  const fine = fineCondition(request.resolutions, coverage);
  if (fine !== undefined) selects.push(select(shape.tables.fine, 1, fine));
  for (const [res, ranges] of coverage.coarse) {
    const hidden = coverage.excluded
      .filter((row) => row.res === res)
      .map((row) => `NOT (bucket = ${row.period} AND gen = ${row.gen})`);
    const where = [`res = ${res}`, rangeCondition(ranges), `gen <= ${lastGen}`, ...hidden].join(' AND ');
    selects.push(select(shape.tables.coarse, 2, where));
  }
  const merged = shape.merged.filter((sql) => sql !== '').join(', ');
  const sql = `SELECT ${shape.shown.join(', ')} FROM (SELECT g, b, ${merged} FROM (${selects.join(' UNION ALL ')}) GROUP BY g, b)`;
  const { at, tenant, metric, series } = request;
  const params: SqlParams = { at, tenant, metric, series, groups: request.groups };
  return { sql: selects.length === 0 ? '' : sql, params, bucketOf: bucket.indexOf };
}

/** All series of one group need no look-up; more of them are told apart by a hash table over the ids. */
function groupExpression(request: StatesRequest): { sql: string; filter: string } {
  const { series, groups } = request;
  const oneGroup = groups.every((group) => group === groups[0]);
  const isIn = series.length === 1 ? `series = ${series[0]!}` : `series IN {series:Array(UInt64)}`;
  if (oneGroup) return { sql: `toUInt32(${groups[0] ?? 0})`, filter: isIn };
  const sql = `transform(series, {series:Array(UInt64)}, {groups:Array(UInt32)}, toUInt32(${noGroup}))`;
  return { sql, filter: series.length < hintedSeries ? isIn : `indexHint(${isIn})` };
}

/**
 * Even buckets by division; others (calendar months, days across a change of daylight saving) by binary search for
 * the bucket's start, told in seconds from the first one, which fit 32 bits.
 */
function bucketExpression(buckets: Float64Array): { sql: string; indexOf: (b: number) => number } {
  const first = buckets[0]!;
  const step = buckets[1]! - first;
  const even = buckets.every((start, i) => start === first + i * step);
  if (buckets.length === 2) return { sql: 'toUInt32(0)', indexOf: () => 0 };
  if (even) return { sql: `toUInt32(intDiv(bucket - ${first}, ${step}))`, indexOf: (b) => b };
  const starts = buckets.subarray(0, -1);
  const index = new Map(Array.from(starts, (start, i) => [(start - first) / 1000, i] as const));
  const sql = `toUInt32(intDiv(toInt64(roundDown(bucket, CAST([${starts.join(',')}], 'Array(Int64)'))) - ${first}, 1000))`;
  return { sql, indexOf: (b) => index.get(b)! };
}

const everything: StateParts = {
  scalar: true,
  extremes: true,
  ends: true,
  growth: true,
  quantiles: true,
  uniques: true,
};

/** Where the rows to derive from lie: conditions on the fine table, on the coarse one, or both. */
export interface DerivationSource {
  fine: string | undefined;
  coarse: string | undefined;
}

const coarseStateNames = `n, first_at, last_at, scale, sum, min, max, first, last, growth,
  first_i, low_i, high_i, last_i, total_i, growth_i`;

/**
 * The decimal scale of a derived row, chosen as state-columns.ts does for fine ones: the first under which the four
 * points come back bit for bit, and the two sums as good as they are; 0 where none is.
 */
const coarseScale = (() => {
  const limit = 2 ** 51;
  const units = (column: string) => `round(o_${column} * s)`;
  // The sum with 0 makes -0 another number than it was: no integer has it.
  const isExact = (column: string) =>
    `reinterpretAsUInt64((${units(column)} + 0.) / s) = reinterpretAsUInt64(o_${column}) AND abs(o_${column} * s) < ${limit}`;
  const tolerance = 'least(o_n, 500) * greatest(abs(o_min), abs(o_max)) * 1e-15';
  const isNear = (column: string) =>
    // Besides, doubles that are added up one by one are off by a few of their last bits.
    `abs(${units(column)} / s - o_${column}) <= ${tolerance} + abs(o_${column}) * 1e-15 AND abs(o_${column} * s) < ${limit}`;
  const conditions = [
    ...['first', 'min', 'max', 'last'].map(isExact),
    ...['sum', 'growth'].map(isNear),
    `abs(o_n * o_first * s) < ${limit}`,
  ];
  return `arrayFirst(s -> ${conditions.join(' AND ')}, [${powersOfTen.join(', ')}]::Array(Float64))`;
})();

/** Values of a derived row: doubles without a scale, else integers, of which the doubles beside them are 0. */
const coarseStateValues = (() => {
  const double = (column: string) => `if(o_scale = 0, o_${column}, 0)`;
  const units = (column: string) => `toInt64(ifNotFinite(round(o_${column} * o_scale), 0))`;
  return [
    ...['sum', 'min', 'max', 'first', 'last', 'growth'].map(double),
    units('first'),
    `${units('first')} - ${units('min')}`,
    `${units('max')} - ${units('first')}`,
    `${units('last')} - ${units('first')}`,
    `${units('sum')} - toInt64(o_n) * ${units('first')}`,
    units('growth'),
  ].join(', ');
})();

/** `INSERT` that derives the rows of one coarse period; `more` computes columns that others need, level by level. */
export function deriveStates(
  period: { res: number; start: number; gen: number },
  source: DerivationSource,
): string {
  const columns = stateColumnsOf(everything);
  const merged = `${mergeScalar}, ${mergeExtremes}, ${mergeEnds}, ${mergeGrowth}`;
  const tables = { fine: 'states', coarse: 'states_coarse' };
  const shown = `o_n, o_first_at, o_last_at, o_scale, ${coarseStateValues}`;
  const more = [`*, ${unpackEnds}`, `*, ${coarseScale} AS o_scale`];
  return derive(
    period,
    source,
    { tables, columns, merged: [merged], shown: [shown] },
    coarseStateNames,
    more,
  );
}

export function deriveSketches(
  period: { res: number; start: number; gen: number },
  source: DerivationSource,
): string {
  return derive(
    period,
    source,
    {
      tables: { fine: 'sketches', coarse: 'sketches_coarse' },
      columns: [...quantileColumns, ...uniqueColumns],
      merged: [mergeQuantiles, mergeUniques],
      shown: ['o_dd.1', 'o_dd.2', 'o_hll.1', 'o_hll.2'],
    },
    'dd_index, dd_count, hll_register, hll_rank',
  );
}

function derive(
  period: { res: number; start: number; gen: number },
  source: DerivationSource,
  shape: Shape,
  targets: string,
  more: readonly string[] = [],
): string {
  const names = 'tenant, metric, series';
  const select = (table: string, column: 1 | 2, where: string) =>
    `SELECT ${names}, ${shape.columns.map((entry) => `${entry[column]} AS ${entry[0]}`).join(', ')} FROM ${table} WHERE ${where}`;
  const selects = [
    ...(source.fine === undefined ? [] : [select(shape.tables.fine, 1, source.fine)]),
    ...(source.coarse === undefined ? [] : [select(shape.tables.coarse, 2, source.coarse)]),
  ];
  const merged = `SELECT ${names}, ${shape.merged.join(', ')} FROM (${selects.join(' UNION ALL ')}) GROUP BY ${names}`;
  const rows = more.reduce((inner, shown) => `SELECT ${shown} FROM (${inner})`, merged);
  return `INSERT INTO ${shape.tables.coarse} (${names}, res, bucket, gen, ${targets})
    SETTINGS insert_deduplication_token = {token:String}
    SELECT ${names}, ${period.res}, ${period.start}, ${period.gen}, ${shape.shown.join(', ')}
    FROM (${rows})`;
}
