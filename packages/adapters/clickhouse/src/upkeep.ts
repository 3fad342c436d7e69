import type { MaintainRequest } from '@nowcast/ports';
import { replacedBy } from './chunk-sql.ts';
import { storedSpans } from './chunk-spans.ts';
import { compactDay, daysToCompact } from './compact.ts';
import { chunkRes, coarseResolutions, type Generation, isBelow, type Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { applyRetention, type Alone } from './retention.ts';
import type { RunningReads } from './running-reads.ts';
import { hourMs } from './schema.ts';
import { keyOf, nextSeal, type Period, seal } from './seal.ts';
import { type SqlConnection, upkeepOptions } from './sql-connection.ts';

/** A deletion makes every part anew: what was replaced waits for more of it. */
const patienceMs = 120_000;
/** Looking for days to compact and for what retention drops reads a column of every chunk. */
const slowChecksMs = hourMs;
/** What is due for sealing comes first, since retention waits for it, but late points may always bring more. */
const sealsBeforeChecks = 20;
const maxCleaned = 100;

/**
 * Background upkeep, one piece of work a call, one call at a time.
 *
 * Everything it derives goes in under a new generation number first and takes effect with one manifest row. Killed
 * before that row, it leaves rows that no read sees; they are removed at the next start, or by the next call. Whether the row is
 * in is asked of the table, because the reply may have been lost.
 */
export class Upkeep {
  readonly #connection: SqlConnection;
  readonly #manifest: Manifest;
  readonly #alone: Alone;
  readonly #reads: RunningReads;
  #working = false;
  #slowChecksAt = Number.NEGATIVE_INFINITY;
  /** The last slow checks did not wait until everything was sealed. */
  #wereEarly = false;
  /** Found by the last slow checks, newest first. */
  #daysToCompact: number[] = [];
  /** Since the last turn of all other work. */
  #seals = 0;
  /** Periods whose derivation was refused; all others go first. */
  readonly #failed = new Set<string>();

  constructor(connection: SqlConnection, manifest: Manifest, alone: Alone, reads: RunningReads) {
    this.#connection = connection;
    this.#manifest = manifest;
    this.#alone = alone;
    this.#reads = reads;
  }

  /** `true` when there was work; `false` too while another call is still at it. */
  async maintain(request: MaintainRequest): Promise<boolean> {
    if (this.#working) return false;
    this.#working = true;
    try {
      return await this.#maintain(request);
    } finally {
      this.#working = false;
    }
  }

  async #maintain(request: MaintainRequest): Promise<boolean> {
    if (this.#manifest.pendingGen !== undefined) await this.removeLeftovers();
    const { chunkSpans } = this.#manifest;
    if (!chunkSpans.isComplete) chunkSpans.complete(await storedSpans(this.#connection));
    if (await this.#clean(request)) return true;
    const period = this.#nextSeal(request);
    const isTurnOver = this.#seals >= (this.#daysToCompact.length > 0 ? 1 : sealsBeforeChecks);
    if (period === undefined || isTurnOver) {
      this.#seals = 0;
      if (await this.#slowWork(request, period !== undefined)) return true;
    }
    if (period === undefined) return false;
    await this.#seal(period, request);
    return true;
  }

  #nextSeal(request: MaintainRequest): Period | undefined {
    const next = nextSeal(this.#manifest, request, this.#failed);
    if (next !== undefined || this.#failed.size === 0) return next;
    this.#failed.clear();
    return nextSeal(this.#manifest, request, this.#failed);
  }

  async #seal(period: Period, request: MaintainRequest): Promise<void> {
    this.#seals++;
    try {
      await seal(this.#connection, this.#manifest, period, request);
    } catch (error) {
      this.#failed.add(keyOf(period));
      this.#seals = sealsBeforeChecks;
      throw error;
    }
  }

  async #slowWork(request: MaintainRequest, isEarly: boolean): Promise<boolean> {
    const isDue = Math.abs(request.now - this.#slowChecksAt) >= slowChecksMs;
    if (isDue || (this.#wereEarly && !isEarly)) {
      const dropped = await applyRetention(this.#connection, this.#manifest, request, this.#alone);
      this.#daysToCompact = await daysToCompact(this.#connection, this.#manifest, request);
      this.#slowChecksAt = request.now;
      this.#wereEarly = isEarly;
      if (dropped) return true;
    }
    const day = this.#daysToCompact.shift();
    if (day === undefined) return false;
    await compactDay(this.#connection, this.#manifest, day, request);
    return true;
  }

  /** Rows of a generation that was begun and never adopted. A deletion makes every part anew: none without need. */
  async removeLeftovers(): Promise<void> {
    // An engine that died over the last word of an adoption may have kept it.
    await this.#manifest.recall();
    for (const table of ['chunks', 'states_coarse', 'sketches_coarse']) {
      const where = `gen > ${this.#manifest.lastGen}`;
      const sql = `SELECT gen FROM ${table} WHERE ${where} LIMIT 1`;
      const found = readNative(await this.#connection.query(sql, {}, upkeepOptions));
      if (found.rows > 0)
        await this.#connection.command(`ALTER TABLE ${table} DELETE WHERE ${where}`, {}, upkeepOptions);
    }
    this.#manifest.pendingGen = undefined;
  }

  /** Deletes what newer generations replaced, once nobody reads or can read at a vector that needs it. */
  async #clean(request: MaintainRequest): Promise<boolean> {
    const isFree = ({ gen, vector, atMs }: Generation) =>
      atMs + patienceMs <= request.now &&
      this.#reads.know(gen) &&
      [request.at, ...(request.pinned ?? [])].every((at) => isBelow(vector, at));
    const found: { res: number; period: number; generation: Generation }[] = [];
    for (const res of [chunkRes, ...coarseResolutions]) {
      for (const [period, generations] of this.#manifest.periods(res)) {
        const generation = generations.findLast(isFree);
        if (generation === undefined || this.#manifest.isClean(res, period, generation.gen)) continue;
        if (res !== chunkRes && generation === generations[0]) continue;
        if (found.length < maxCleaned) found.push({ res, period, generation });
      }
    }
    if (found.length === 0) return false;
    const chunks = found
      .filter(({ res }) => res === chunkRes)
      .map(({ period, generation }) => replacedBy(period, generation));
    const coarse = found
      .filter(({ res }) => res !== chunkRes)
      .map(
        ({ res, period, generation }) => `res = ${res} AND bucket = ${period} AND gen < ${generation.gen}`,
      );
    await this.#delete('chunks', chunks);
    await this.#delete('states_coarse', coarse);
    await this.#delete('sketches_coarse', coarse);
    for (const { res, period, generation } of found)
      await this.#manifest.cleaned(res, period, generation.gen);
    return true;
  }

  async #delete(table: string, conditions: readonly string[]): Promise<void> {
    if (conditions.length === 0) return;
    const where = conditions.map((condition) => `(${condition})`).join(' OR ');
    await this.#connection.command(`ALTER TABLE ${table} DELETE WHERE ${where}`, {}, upkeepOptions);
  }
}
