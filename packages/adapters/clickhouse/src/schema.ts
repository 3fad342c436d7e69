/**
 * Tables of the warehouse. Plain MergeTree everywhere: nothing may collapse rows behind the watermark's back.
 *
 * - Every table syncs what it inserts (off by default; the log is the durability point, this keeps its tail short) and
 *   remembers the tokens of its last inserts (off by default too), so that a repeated flush inserts nothing.
 * - Rows of a flush carry `partition` and `flush_to`: a read sees `flush_to <= at[partition]` and nothing else.
 * - `gen` numbers what upkeep derives. It is only ever read through the manifest (manifest.ts).
 * - Sort keys put time between metric and series, an hour or a day at a time: a range over all series of a metric is
 *   one run of rows, one series over a few hours is a few short ones, and sealing an hour reads that hour alone.
 * - Partitions are weeks (fine) or about a month (coarse), so that retention drops files instead of rewriting them.
 *
 * A table's definition is for ever; a change of meaning is a new version, and `migrations` bring older tables to it.
 *
 * 2: coarse states are scaled integers where that says the same; what was stored before is read as it is.
 * 3: receipt times of chunks whose points came many at a time are runs; those stored before are read as they are.
 */
export const schemaVersion = 3;

export const weekMs = 604_800_000;
export const monthMs = 2_592_000_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

const settings = (more = '') =>
  `SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000${more}`;

const flushed = `partition UInt16 CODEC(ZSTD(1)),
  flush_to UInt64 CODEC(ZSTD(1))`;
/**
 * Receipt times: each series of a batch has the same steps, mostly zeros. As bytes they are full of short accidental
 * matches; as differences only the long true ones are left (0.008 instead of 0.12 bytes a point of a bulk load).
 */
const receiptSteps = 'CODEC(Delta(4), ZSTD(1))';
/** Points received together, for each of these times; none where `receipt_steps` has a step for each point. */
const receiptRuns = 'receipt_runs Array(UInt32) CODEC(Delta(4), ZSTD(1))';
/** Small differences in wide integers: only the bits in use are kept, then squeezed. */
const narrow = `CODEC(T64('bit'), ZSTD(1))`;
/** Each hour has the same series in the same order: a block must be long enough to hold an hour twice. */
const repeated = 'CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 262144)';

const names = `tenant LowCardinality(String) CODEC(ZSTD(1)),
  metric LowCardinality(String) CODEC(ZSTD(1)),
  series UInt64 CODEC(ZSTD(1))`;
const hourlyNames = `tenant LowCardinality(String) CODEC(ZSTD(1)),
  metric LowCardinality(String) CODEC(ZSTD(1)),
  series UInt64 ${repeated}`;

/**
 * A granule is what a read of one series unpacks, some 300 chunks of a thousand points; each costs the blocks of forty
 * columns, so that of short chunks there must be more in one.
 */
const chunkGranules = ', index_granularity = 1024, index_granularity_bytes = 400000';

const chunks = `CREATE TABLE IF NOT EXISTS chunks (
  ${names},
  start Int64 CODEC(DoubleDelta, ZSTD(1)),
  until Int64 CODEC(DoubleDelta, ZSTD(1)),
  n UInt32 CODEC(ZSTD(1)),
  state_res UInt32 CODEC(ZSTD(1)),
  sketch_res UInt32 CODEC(ZSTD(1)),
  time_scale UInt16 CODEC(ZSTD(1)),
  time_fraction UInt16 CODEC(ZSTD(1)),
  time_step UInt32 CODEC(ZSTD(1)),
  time_steps Array(UInt32) CODEC(T64('bit'), ZSTD(1)),
  time_raw Array(Float64) CODEC(Gorilla, ZSTD(1)),
  exponent UInt8 CODEC(ZSTD(1)),
  first Int64 ${narrow},
  steps8 Array(Int8) CODEC(ZSTD(1)),
  steps16 Array(Int16) ${narrow},
  steps32 Array(Int32) ${narrow},
  steps64 Array(Int64) ${narrow},
  values_raw Array(Float64) CODEC(Gorilla, ZSTD(1)),
  receipt_lag Int64 CODEC(ZSTD(1)),
  receipt_step Int32 CODEC(ZSTD(1)),
  receipt_steps Array(Int32) ${receiptSteps},
  ${receiptRuns},
  data_ids Array(String) CODEC(ZSTD(1)),
  actors Array(String) CODEC(ZSTD(1)),
  messages Array(String) CODEC(ZSTD(1)),
  run_lengths Array(UInt32) CODEC(ZSTD(1)),
  run_flushes Array(UInt64) CODEC(ZSTD(1)),
  ${flushed},
  gen UInt32 CODEC(ZSTD(1)),
  INDEX until_range until TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY intDiv(start, ${weekMs})
ORDER BY (tenant, metric, intDiv(start, ${dayMs}), series, start)
${settings(chunkGranules)}`;

const states = `CREATE TABLE IF NOT EXISTS states (
  ${hourlyNames},
  res UInt32 CODEC(ZSTD(1)),
  bucket Int64 CODEC(DoubleDelta, ZSTD(1)),
  n UInt32 ${narrow},
  scale Float64 CODEC(ZSTD(1)),
  first Int64 ${narrow},
  low Int64 ${narrow},
  high Int64 ${narrow},
  last Int64 ${narrow},
  total Int64 ${narrow},
  growth Int64 ${narrow},
  time_scale Float64 CODEC(ZSTD(1)),
  first_in Int64 ${narrow},
  last_in Int64 ${narrow},
  ${flushed}
) ENGINE = MergeTree PARTITION BY intDiv(bucket, ${weekMs})
ORDER BY (tenant, metric, intDiv(bucket, ${hourMs}), series, bucket)
${settings(', index_granularity = 2048')}`;

const sketches = `CREATE TABLE IF NOT EXISTS sketches (
  ${hourlyNames},
  res UInt32 CODEC(ZSTD(1)),
  bucket Int64 CODEC(DoubleDelta, ZSTD(1)),
  dd_index Array(Int32) CODEC(Delta(4), ZSTD(1)),
  dd_count Array(UInt32) ${narrow},
  hll_register Array(UInt16) CODEC(Delta(2), ZSTD(1)),
  hll_rank Array(UInt8) CODEC(ZSTD(1)),
  ${flushed}
) ENGINE = MergeTree PARTITION BY intDiv(bucket, ${weekMs})
ORDER BY (tenant, metric, intDiv(bucket, ${hourMs}), series, bucket)
${settings(', index_granularity = 1024')}`;

/**
 * The numbers of coarse states as integers of one decimal scale, as in `states` but for the times. A row that has no
 * such scale has 0 for it and doubles in the columns that are 0 otherwise; that is how all were stored before version 2.
 */
const scaledColumns = [
  'scale Float64 CODEC(ZSTD(1))',
  ...['first_i', 'low_i', 'high_i', 'last_i', 'total_i', 'growth_i'].map((name) => `${name} Int64 ${narrow}`),
];

/**
 * Few rows that wide ranges read whole. `first_order` and `last_order` once ranked points of one time; nobody reads or
 * writes them any more (their default costs next to nothing).
 */
const statesCoarse = `CREATE TABLE IF NOT EXISTS states_coarse (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series UInt64 CODEC(LZ4),
  res UInt32 CODEC(LZ4),
  bucket Int64 CODEC(LZ4),
  n UInt64 CODEC(T64, ZSTD(1)),
  sum Float64 CODEC(ZSTD(1)),
  min Float64 CODEC(ZSTD(1)),
  max Float64 CODEC(ZSTD(1)),
  first Float64 CODEC(ZSTD(1)),
  first_at Float64 CODEC(LZ4),
  first_order UInt64 CODEC(LZ4),
  last Float64 CODEC(ZSTD(1)),
  last_at Float64 CODEC(LZ4),
  last_order UInt64 CODEC(LZ4),
  growth Float64 CODEC(ZSTD(1)),
  gen UInt32 CODEC(LZ4),
  ${scaledColumns.join(',\n  ')}
) ENGINE = MergeTree PARTITION BY intDiv(bucket, ${monthMs})
ORDER BY (tenant, metric, res, intDiv(bucket, toInt64(res) * 24), series, bucket)
${settings(', index_granularity = 4096')}`;

const sketchesCoarse = `CREATE TABLE IF NOT EXISTS sketches_coarse (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series UInt64 CODEC(LZ4),
  res UInt32 CODEC(LZ4),
  bucket Int64 CODEC(LZ4),
  dd_index Array(Int32) CODEC(Delta(4), ZSTD(1)),
  dd_count Array(UInt64) ${narrow},
  hll_register Array(UInt16) CODEC(Delta(2), ZSTD(1)),
  hll_rank Array(UInt8) CODEC(ZSTD(1)),
  gen UInt32 CODEC(LZ4)
) ENGINE = MergeTree PARTITION BY intDiv(bucket, ${monthMs})
ORDER BY (tenant, metric, res, intDiv(bucket, toInt64(res) * 24), series, bucket)
${settings(', index_granularity = 1024')}`;

const series = `CREATE TABLE IF NOT EXISTS series (
  partition UInt16,
  local UInt32,
  id UInt64,
  tenant String,
  metric String,
  source String,
  label_names Array(String),
  label_values Array(String),
  flush_to UInt64
) ENGINE = MergeTree ORDER BY (partition, local)
${settings()}`;

/** Which hours each flush put fine rows into: tells a sealed hour that late rows lie beside it. */
const touched = `CREATE TABLE IF NOT EXISTS touched (
  hour Int64,
  partition UInt16,
  flush_to UInt64
) ENGINE = MergeTree ORDER BY (hour, partition, flush_to)
${settings()}`;

/** One row a decision; a decision is taken when its row is in. Never updated. */
const manifest = `CREATE TABLE IF NOT EXISTS manifest (
  kind LowCardinality(String),
  partition UInt16,
  flush_to UInt64,
  received_at Float64,
  period Int64,
  res UInt32,
  gen UInt32,
  vector Array(UInt64),
  at_ms Float64
) ENGINE = MergeTree ORDER BY (kind, partition, period, gen)
${settings()}`;

export const tableDefinitions = [
  chunks,
  states,
  sketches,
  statesCoarse,
  sketchesCoarse,
  series,
  touched,
  manifest,
];

/** What brings tables of an older version to this one; each may be repeated, and none touches what is stored. */
export const migrations = [
  `ALTER TABLE states MODIFY COLUMN first Int64 ${narrow}, MODIFY COLUMN series UInt64 ${repeated}`,
  `ALTER TABLE sketches MODIFY COLUMN series UInt64 ${repeated}`,
  `ALTER TABLE states_coarse ${scaledColumns.map((column) => `ADD COLUMN IF NOT EXISTS ${column}`).join(', ')}`,
  `ALTER TABLE chunks ADD COLUMN IF NOT EXISTS ${receiptRuns}`,
];
