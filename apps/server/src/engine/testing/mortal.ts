import type { EventLog, LogEntry, Warehouse } from '@nowcast/ports';

/**
 * A process that was killed does nothing more: no call of it gets through, and no answer reaches it. Inside one test
 * process that is a fence around the two ports through which an engine changes anything: from its death on every call
 * through them waits for ever, and the engine that made it is forgotten.
 */
export class Life {
  #dead = false;
  readonly #onDeath: (() => void)[] = [];
  #underWay = 0;
  /** Settles when the life ends: whoever waits for something that will never come waits for this too. */
  readonly ended = new Promise<void>((resolve) => this.#onDeath.push(resolve));

  /** Resolves when no call is under way, nor follows from one that was. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 3; turns = this.#underWay === 0 ? turns + 1 : 0)
      await new Promise(setImmediate);
  }

  end(): void {
    this.#dead = true;
    for (const listener of this.#onDeath) listener();
  }

  async through<T>(call: () => Promise<T>): Promise<T> {
    if (this.#dead) return forever();
    this.#underWay += 1;
    const outcome = await call().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    this.#underWay -= 1;
    return this.#dead ? forever() : outcome();
  }
}

function forever(): Promise<never> {
  return new Promise<never>(() => undefined);
}

/** Where a life ends inside a flush. */
export const flushDeaths = ['marked', 'half inserted', 'inserted', 'committed'] as const;
export type FlushDeath = (typeof flushDeaths)[number];

/** What is going to happen to a life; a test changes it while the engine runs. */
export interface Fate {
  /** Dies at this step of the flush, after `flushesBefore` others. */
  flush: { at: FlushDeath; flushesBefore: number } | undefined;
  /** `lost`: dies before an append reaches the disk; `stored`: after it did, but before anybody hears of it. */
  append: 'lost' | 'stored' | undefined;
}

export function mortalLog(log: EventLog, life: Life, fate: Fate): EventLog {
  return {
    partitions: log.partitions,
    get epoch() {
      return log.epoch;
    },
    get queuedBytes() {
      return log.queuedBytes;
    },
    run: () => log.run(),
    stop: () => life.through(() => log.stop()),
    head: () => log.head(),
    tail: () => log.tail(),
    append: (entries: readonly LogEntry[]) => {
      const { append } = fate;
      if (append === 'lost') life.end();
      return life.through(async () => {
        const offsets = await log.append(entries);
        if (append === 'stored') life.end();
        return offsets;
      });
    },
    read: (partition, from, visit) => log.read(partition, from, visit),
    truncate: (below) => life.through(() => log.truncate(below)),
  };
}

/** A flush whose watermark moved. */
export interface CommittedFlush {
  partition: number;
  from: number;
  to: number;
}

/** `midway` waits for some moment inside the insert of a flush; `committed` hears of every one that got through. */
export function mortalWarehouse(
  warehouse: Warehouse,
  life: Life,
  fate: Fate,
  { midway, committed }: { midway: () => Promise<void>; committed: (flush: CommittedFlush) => void },
): Warehouse {
  const begins = new Map<number, number>();
  const isDue = (at: FlushDeath) => fate.flush?.at === at && fate.flush.flushesBefore === 0;
  return {
    run: () => warehouse.run(),
    stop: () => life.through(() => warehouse.stop()),
    watermarks: () => warehouse.watermarks(),
    loadSeries: (visit) => warehouse.loadSeries(visit),
    readStates: (request) => life.through(() => warehouse.readStates(request)),
    readPoints: (request) => life.through(() => warehouse.readPoints(request)),
    maintain: (request) => life.through(() => warehouse.maintain(request)),
    stats: () => life.through(() => warehouse.stats()),
    insertFlush: (block) => {
      if (isDue('marked')) life.end();
      begins.set(block.partition, block.from);
      return life.through(async () => {
        const insert = warehouse.insertFlush(block);
        if (isDue('half inserted')) {
          insert.catch(() => undefined);
          await midway();
          life.end();
          return;
        }
        await insert;
        if (isDue('inserted')) life.end();
      });
    },
    commit: (mark) =>
      life.through(async () => {
        await warehouse.commit(mark);
        const { partition, to } = mark;
        committed({ partition, from: begins.get(partition)!, to });
        if (isDue('committed')) life.end();
        if (fate.flush !== undefined) fate.flush.flushesBefore -= 1;
      }),
  };
}
