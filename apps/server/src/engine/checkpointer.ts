import type { SeriesIndex, Tail } from '@nowcast/head';
import type { IngestService } from '@nowcast/ingest';
import type { EventLog } from '@nowcast/ports';
import type { Alerts } from './alerts/alerts.ts';
import { checkpointPath, writeCheckpoint } from './checkpoint.ts';
import type { EngineLog } from './embedded-engine.ts';
import { firstHotOffset } from './hot-window.ts';
import type { PartitionState } from './partition-state.ts';
import type { RetentionClock } from './retention-clock.ts';
import type { SeriesFile } from './series-file.ts';

export interface CheckpointerParts {
  dataDir: string;
  eventLog: EventLog;
  seriesFile: SeriesFile;
  index: SeriesIndex;
  states: readonly PartitionState[];
  ingest: IngestService;
  alerts: Alerts;
  retained: RetentionClock;
  log: EngineLog;
}

/** Writes down what the log is not needed for any more, and then cuts it there. */
export class Checkpointer {
  readonly #parts: CheckpointerParts;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  /** Without one (a full disk) nothing is lost: the log stays as long as it is, and the next checkpoint cuts it. */
  async save(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      this.#parts.log('warn', 'no checkpoint could be written; the log is not cut', {
        reason: String(error),
      });
    }
  }

  async #write(): Promise<void> {
    const { dataDir, eventLog, seriesFile, index, ingest, states, alerts, retained } = this.#parts;
    await alerts.save();
    const seriesBytes = await seriesFile.extend(
      index,
      states.map(({ seriesEnd }) => seriesEnd),
    );
    const { bytes, offsets } = ingest.checkpoint();
    const neededFrom = states.map((state, i) =>
      Math.min(state.watermark, offsets[i]!, firstHotOffset(state), alerts.neededFrom[i]!),
    );
    await writeCheckpoint(checkpointPath(dataDir), {
      epoch: eventLog.epoch,
      offsets: [...offsets],
      evictedNewest: states.map(({ tail }) => evictedNewestOf(tail)),
      neededFrom,
      sources: ingest.sourceTotals(),
      stored: states.map(({ watermark, flushedReceivedAt, flushedSeries }) => ({
        to: watermark,
        receivedAt: flushedReceivedAt,
        series: flushedSeries,
      })),
      seriesBytes,
      retentionAt: retained.at,
      dedupe: bytes,
    });
    await eventLog.truncate(neededFrom);
  }
}

/** JSON has no infinities: null where nothing left memory, the largest number where nobody knows what did. */
function evictedNewestOf(tail: Tail): number | null {
  return tail.evictedNewest === Number.NEGATIVE_INFINITY
    ? null
    : Math.min(tail.evictedNewest, Number.MAX_VALUE);
}
