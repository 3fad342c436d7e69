import type { SeriesIndex } from '@nowcast/head';
import type { EventLog, Warehouse } from '@nowcast/ports';
import type { Checkpoint, StoredPartition } from './checkpoint.ts';
import type { PatientWarehouse } from './patient-warehouse.ts';
import type { SeriesFile } from './series-file.ts';

/**
 * How far history reaches, and the series that the log no longer defines. The warehouse knows both; while it cannot
 * start, the last checkpoint and the series file do, which may be behind it (a commit came after them) but never ahead.
 * Resolves only once one of the two has spoken.
 */
export async function findStored(options: {
  log: EventLog;
  warehouse: PatientWarehouse;
  index: SeriesIndex;
  checkpoint: Checkpoint | undefined;
  seriesFile: SeriesFile;
}): Promise<readonly StoredPartition[]> {
  const { log, warehouse, index, checkpoint, seriesFile } = options;
  const { stored, seriesBytes } = checkpoint ?? {};
  const remembered =
    stored !== undefined && seriesBytes !== undefined && (await seriesFile.load(seriesBytes, index))
      ? stored
      : undefined;
  if (!warehouse.isUp) {
    if (remembered !== undefined) return remembered;
    // Nothing was ever cut: the log defines every series, and what it marks again is in the warehouse just once.
    if (log.tail().every((offset) => offset === 0)) return log.tail().map(() => nothing);
    await warehouse.keepTrying(() => () => false);
  }
  const marks = new Map((await warehouse.watermarks()).map((mark) => [mark.partition, mark]));
  const isSame = remembered?.every(({ to }, partition) => to === (marks.get(partition)?.to ?? 0)) === true;
  if (isSame) return remembered;
  const series = await loadSeries(warehouse, index, log.partitions);
  return series.map((known, partition) => {
    const { to, receivedAt } = marks.get(partition) ?? nothing;
    return { to, receivedAt, series: known };
  });
}

const nothing: StoredPartition = { to: 0, receivedAt: 0, series: 0 };

async function loadSeries(
  warehouse: Pick<Warehouse, 'loadSeries'>,
  index: SeriesIndex,
  partitions: number,
): Promise<number[]> {
  const known = Array.from({ length: partitions }, () => 0);
  await warehouse.loadSeries((rows) => {
    for (const { partition, local, definition } of rows) {
      index.restore(partition, local, definition);
      known[partition] = local + 1;
    }
  });
  return known;
}
