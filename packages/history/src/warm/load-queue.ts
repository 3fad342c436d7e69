import type { Clock } from '@nowcast/kernel';
import type { StoredRows } from '../stored-rows.ts';
import { type Block, type BlockKind, dayMs, hourMs, pointPeriods } from './block.ts';
import { hoursOfTable } from './hour-table.ts';
import { loadHours, loadPoints } from './loader.ts';
import type { WarmMetric } from './metric.ts';
import type { Need } from './need.ts';

/** Boards open many panels at once; what is loaded for the next time waits until they have their answers. */
const delayMs = 250;
/** Rows of one statement: reading the answer keeps the engine's thread for some ten milliseconds. */
const mostRows = 100_000;
/** A metric of more series than this is not worth holding whole. */
const mostSeries = 10_000;
/** Points of a period: a day where it has no more, else a quarter of it or an hour, else none. */
const mostPoints = 750_000;
/** After a failed load, and for what turned out to be too large. */
const refusedMs = 60_000;
const mostWaiting = 1000;

interface Job {
  metric: WarmMetric;
  kind: BlockKind;
  /** The day, and for points the part of it that is asked for. */
  day: number;
  from: number;
  to: number;
}

export interface LoadQueueOptions {
  warehouse: StoredRows;
  clock: Clock;
  /** The vector to read at, all of whose flushes the warehouse has. */
  at: () => number[];
  makeRoom: (keep: readonly Block[]) => void;
}

/** Loads blocks one after the other, in the background. */
export class LoadQueue {
  readonly #options: LoadQueueOptions;
  readonly #jobs = new Map<string, Job>();
  /** Key → monotonic ms until which it is not tried again. */
  readonly #refused = new Map<string, number>();
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  loads = 0;
  failures = 0;

  constructor(options: LoadQueueOptions) {
    this.#options = options;
  }

  add(metric: WarmMetric, need: Need): void {
    if (metric.slotCount > mostSeries || this.#stopped) return;
    for (let day = need.firstDay; day <= need.lastDay; day += dayMs) {
      const { kind } = need;
      const from = Math.max(need.from, day);
      const to = Math.min(need.to, day + dayMs);
      if (kind !== 'points' && metric.find(kind, day) !== undefined) continue;
      const key = `${metric.tenant}\n${metric.name}\n${kind} ${day}`;
      if ((this.#refused.get(key) ?? 0) > this.#options.clock.monotonic()) continue;
      const known = this.#jobs.get(key);
      if (known !== undefined) {
        known.from = Math.min(known.from, from);
        known.to = Math.max(known.to, to);
      } else if (this.#jobs.size < mostWaiting) this.#jobs.set(key, { metric, kind, day, from, to });
    }
    if (this.#jobs.size === 0 || this.#running !== undefined) return;
    this.#cancelTimer ??= this.#options.clock.after(delayMs, () => this.#start());
  }

  /** Nothing is being loaded, nor waits for it. */
  get isIdle(): boolean {
    return this.#running === undefined && this.#jobs.size === 0;
  }

  async settled(): Promise<void> {
    while (!this.isIdle) {
      if (this.#running === undefined) this.#start();
      await this.#running;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#jobs.clear();
    this.#cancelTimer?.();
    await this.#running;
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    for (let next = this.#jobs.entries().next(); next.done !== true; next = this.#jobs.entries().next()) {
      const [key, job] = next.value;
      this.#jobs.delete(key);
      if (job.kind === 'points') await this.#points(key, job);
      else await this.#hours(job.metric, job.kind, [job.day, ...this.#daysAfter(job)]);
      this.#forgetRefusals();
    }
  }

  /** Days that wait behind one another, as many as fit one statement. */
  #daysAfter({ metric, kind, day }: Job): number[] {
    const days: number[] = [];
    const most = Math.floor(mostRows / (hoursOfTable * Math.max(1, metric.slotCount)));
    while (days.length + 1 < most) {
      const next = day + (days.length + 1) * dayMs;
      if (!this.#jobs.delete(`${metric.tenant}\n${metric.name}\n${kind} ${next}`)) break;
      days.push(next);
    }
    return days;
  }

  async #hours(metric: WarmMetric, kind: 'scalar' | 'ends', days: readonly number[]): Promise<void> {
    if (days.some((day) => metric.find(kind, day) !== undefined)) return;
    const blocks = days.map((day) => this.#begin(metric, kind, day, dayMs));
    await this.#load(metric, blocks, (at) => loadHours(this.#options.warehouse, metric, kind, blocks, at));
  }

  async #points(key: string, { metric, day, from, to }: Job): Promise<void> {
    if (metric.find('scalar', day)?.ready !== true) {
      await this.#hours(metric, 'scalar', [day]);
      // Not there after all: too large, or the warehouse is away.
      if (metric.find('scalar', day)?.ready !== true) return this.#refuse(key);
    }
    const length = periodFor(metric.find('scalar', day)!);
    if (length === undefined) return this.#refuse(key);
    for (let start = Math.floor(from / length) * length; start < to; start += length) {
      if (metric.pointsAt(Math.max(start, from)) !== undefined || metric.find('points', start, length))
        continue;
      const block = this.#begin(metric, 'points', start, length);
      await this.#load(metric, [block], async (at) => [
        await loadPoints(this.#options.warehouse, metric, block, at),
      ]);
      if (this.#stopped) return;
    }
  }

  /** From now on the block takes every flush. */
  #begin(metric: WarmMetric, kind: BlockKind, start: number, length: number): Block {
    const usedAt = this.#options.clock.monotonic();
    const block: Block = { kind, start, length, at: this.#options.at(), ready: false, tables: [], usedAt };
    metric.put(block);
    return block;
  }

  async #load(
    metric: WarmMetric,
    blocks: readonly Block[],
    read: (at: number[]) => Promise<Block['tables']>,
  ): Promise<void> {
    try {
      const tables = await read([...blocks[0]!.at]);
      this.loads++;
      for (const [i, block] of blocks.entries()) {
        block.tables.unshift(tables[i]!);
        block.ready = true;
      }
      this.#options.makeRoom(blocks);
    } catch {
      // The warehouse answers the same to whoever asks it next, and says why.
      this.failures++;
      for (const block of blocks) {
        metric.drop(block);
        this.#refuse(
          `${metric.tenant}\n${metric.name}\n${block.kind} ${Math.floor(block.start / dayMs) * dayMs}`,
        );
      }
    }
  }

  #refuse(key: string): void {
    this.#refused.set(key, this.#options.clock.monotonic() + refusedMs);
  }

  #forgetRefusals(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, until] of this.#refused) if (until <= now) this.#refused.delete(key);
  }
}

function periodFor({ tables }: Block): number | undefined {
  let points = 0;
  for (const table of tables) if ('hour' in table) for (const n of table.columns.count) points += n;
  return pointPeriods.find((length) => (points * length) / dayMs <= mostPoints && length >= hourMs);
}
