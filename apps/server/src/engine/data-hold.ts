import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import type { HeldLog, LocalEventLog } from '@nowcast/adapter-local-log';
import { appError } from '@nowcast/contract';
import type { OffsetVector, Watermark } from '@nowcast/ports';
import { linkStateFiles } from './state-files.ts';

/** The engine's data as of one offset vector, as files to copy: the first `size` bytes of each. Plain data. */
export interface HeldData {
  epoch: string;
  partitions: number;
  /** The log's records in [tail, head); the warehouse answers below `watermarks`. */
  tail: OffsetVector;
  head: OffsetVector;
  watermarks: readonly Watermark[];
  /** table of the warehouse → rows. */
  rows: Readonly<Record<string, number>>;
  files: readonly { name: string; path: string; size: number }[];
}

/**
 * Gives the data out for copying while the engine goes on. The order makes the parts fit, without stopping anything:
 *
 * ```
 * hold the log (tail T) ─► checkpoints C ─► freeze the warehouse at W ─► durable end of the log H
 * ```
 * The log is never cut above the checkpoints or the watermark that are on the disk, so T ≤ C and T ≤ W; it was held
 * before those were read. Both only speak of durable records, so C ≤ H and W ≤ H. A start from such a copy finds what
 * a start after a crash at H would.
 */
export class DataHold {
  readonly #log: LocalEventLog;
  readonly #warehouse: Pick<EmbeddedWarehouse, 'freeze' | 'thaw'>;
  readonly #dataDir: string;
  #held: HeldLog | undefined;
  /** What is being let go of is still held: its folders are not for another yet. */
  #releasing: Promise<void> | undefined;

  constructor(log: LocalEventLog, warehouse: Pick<EmbeddedWarehouse, 'freeze' | 'thaw'>, dataDir: string) {
    this.#log = log;
    this.#warehouse = warehouse;
    this.#dataDir = dataDir;
  }

  /** Until `release` the log is not cut. Rejects with `request.conflict` while somebody else holds the data. */
  async take(): Promise<HeldData> {
    await this.#releasing?.catch(() => undefined);
    if (this.#held !== undefined)
      throw appError('request.conflict', 'a backup of this data is being made already; wait for its end');
    const held = this.#log.hold();
    this.#held = held;
    try {
      const state = await linkStateFiles(this.#dataDir, this.#folder);
      const frozen = await this.#warehouse.freeze();
      const { files, tail, head } = held.copy();
      return {
        epoch: this.#log.epoch,
        partitions: this.#log.partitions,
        tail,
        head,
        watermarks: frozen.watermarks,
        rows: frozen.rows,
        files: [
          ...state,
          ...files.map((file) => ({ ...file, name: `log/${file.name}` })),
          ...frozen.files.map((file) => ({ ...file, name: `warehouse/${file.name}` })),
        ],
      };
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  release(): Promise<void> {
    this.#releasing ??= this.#letGo().finally(() => (this.#releasing = undefined));
    return this.#releasing;
  }

  async #letGo(): Promise<void> {
    try {
      await rm(this.#folder, { recursive: true, force: true });
      await this.#warehouse.thaw();
    } finally {
      this.#held?.release();
      this.#held = undefined;
    }
  }

  /** Links to small files, for as long as they are held. */
  get #folder(): string {
    return join(this.#dataDir, 'held');
  }
}
