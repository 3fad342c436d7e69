/**
 * SIGKILL to the engine at a chosen statement of a flush and of upkeep, alone or together with the process above it.
 * Whoever calls repeats, as the flusher and the upkeep of the server do; afterwards every point is there once, in chunks
 * and in states.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { appError } from '@nowcast/contract';
import { isAppError, systemClock } from '@nowcast/kernel';
import { at, Bench, dayMs, expected, forEver, hourMs, monday, shown } from '@nowcast/ports/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClickHouseWarehouse } from './clickhouse-warehouse.ts';
import { ChdbConnection } from './embedded/chdb-connection.ts';
import type { SqlConnection } from './sql-connection.ts';

const isLong = process.env['NOWCAST_LONG'] === '1';
const weekMs = 7 * dayMs;

interface Kill {
  /** Counted from the last kill; statements of flushes and of upkeep, and their counts. */
  statement: number;
  /** `unheard`: after it took effect, and its reply is lost. */
  when: 'before' | 'during' | 'after' | 'unheard';
  /** For `during`: how long it may work, milliseconds. */
  workMs: number;
  /** The process above the engine goes too. */
  isWhole: boolean;
}

/** Counts statements other than reads, and kills where it is told to. */
class MortalConnection implements SqlConnection {
  readonly #inner: ChdbConnection;
  readonly #fate: Fate;
  /** The life of the engine that was ended. */
  #killed: number | undefined;

  constructor(inner: ChdbConnection, fate: Fate) {
    this.#inner = inner;
    this.#fate = fate;
  }

  get incarnation(): number {
    return this.#inner.incarnation;
  }

  open(): Promise<void> {
    return this.#inner.open();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  query: SqlConnection['query'] = (sql, params, options) => {
    const work = () => this.#inner.query(sql, params, options);
    return options.lane === 'read' ? work() : this.#run(work);
  };

  command: SqlConnection['command'] = (sql, params, options) =>
    this.#run(() => this.#inner.command(sql, params, options));

  insert: SqlConnection['insert'] = (table, block, token, options) =>
    this.#run(() => this.#inner.insert(table, block, token, options));

  async #run<T>(work: () => Promise<T>): Promise<T> {
    // Who is dead already does not die, and what it is asked fails anyway.
    if (this.#killed === this.incarnation) return work();
    this.#fate.statements++;
    const kill = this.#fate.due();
    if (kill === undefined) return work();
    this.#killed = this.incarnation;
    const die = () => process.kill(this.#inner.childPid!, 'SIGKILL');
    if (kill.when === 'before') die();
    const outcome = work();
    outcome.catch(() => undefined);
    if (kill.when === 'during') {
      await delay(kill.workMs);
      die();
    } else if (kill.when === 'after' || kill.when === 'unheard') {
      await outcome.finally(die);
      if (kill.when === 'unheard') throw appError('warehouse.unavailable', 'the reply is lost');
    }
    return outcome;
  }
}

/** What is going to happen, and what has. */
class Fate {
  statements = 0;
  killed = 0;
  isWholeDue = false;
  #kills: Kill[] = [];

  begin(kills: readonly Kill[]): void {
    this.#kills = [...kills];
    this.statements = 0;
    this.killed = 0;
  }

  due(): Kill | undefined {
    const kill = this.#kills[0];
    if (kill === undefined || this.statements < kill.statement) return undefined;
    this.#kills.shift();
    this.statements = 0;
    this.killed++;
    this.isWholeDue = kill.isWhole;
    return kill;
  }
}

const fate = new Fate();
let dir: string;
let warehouse: ClickHouseWarehouse;
let benches = 0;

async function open(): Promise<void> {
  const connection = new ChdbConnection({ dir, clock: systemClock, log: () => undefined });
  warehouse = new ClickHouseWarehouse(new MortalConnection(connection, fate));
  await warehouse.run();
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-kills-'));
  await open();
});
afterAll(async () => {
  await warehouse.stop();
  await rm(dir, { recursive: true, force: true });
});

function newBench(): Bench {
  benches++;
  return new Bench(() => warehouse, `metric ${benches}`);
}

/** Repeats what a dead engine interrupts until it goes through; after a whole death on what is left on the disk. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      if (fate.isWholeDue) {
        fate.isWholeDue = false;
        await warehouse.stop();
        await open();
      }
      return await work();
    } catch (error) {
      if (!isAppError(error) || error.code !== 'warehouse.unavailable') throw error;
      await delay(20);
    }
  }
}

async function storeInsisting(b: Bench, points: ReturnType<typeof pointsOf>): Promise<void> {
  const block = b.flush(points, { defines: [] });
  await insist(async () => {
    await b.warehouse.insertFlush(block);
    await b.commit(block);
  });
  b.points.push(...points);
}

function pointsOf(from: number, to: number, count: number) {
  return Array.from({ length: count }, (_, i) =>
    at(i % 3, from + Math.floor((i * (to - from)) / count), (i * 7) % 100, { actor: `u${i % 5}` }),
  );
}

/** Points as states of these steps count them. */
async function countOf(b: Bench, from: number, to: number, step: number, coarse: boolean): Promise<number> {
  const { count } = await b.readStates({ from, to, step }, [0, 0, 0], { coarse });
  return count.reduce((sum, n) => sum + n, 0);
}

async function expectWhole(b: Bench, from: number, to: number): Promise<void> {
  await insist(async () => {
    expect(shown(await b.readPoints({ from, to }))).toEqual(expected(b.points));
    for (const coarse of [false, true])
      for (const step of [hourMs, dayMs])
        expect([step, coarse, await countOf(b, from, to, step, coarse)]).toEqual([
          step,
          coarse,
          b.points.length,
        ]);
  });
}

function killAt(most: number): fc.Arbitrary<Kill> {
  return fc.record({
    statement: fc.integer({ min: 1, max: most }),
    when: fc.constantFrom('before', 'during', 'after', 'unheard'),
    workMs: fc.integer({ min: 0, max: 8 }),
    isWhole: fc.boolean(),
  });
}

/** Statements of `work` when nobody is killed. */
async function statementsOf(work: () => Promise<void>): Promise<number> {
  fate.begin([]);
  await work();
  return fate.statements;
}

let periods = 0;
/** A Monday that no other run has points at. */
const nextMonday = (): number => monday + 8 * weekMs * periods++;

describe('SIGKILL at a statement', () => {
  test(
    'of a flush, and of the repair of what that left: every point is stored once',
    async () => {
      const start = nextMonday();
      const run = async (kills: readonly Kill[]): Promise<void> => {
        const b = newBench();
        await insist(() => b.store([]));
        fate.begin(kills);
        await storeInsisting(b, pointsOf(start, start + 10 * dayMs, 60));
        // What the first one leaves to repair depends on the moment: the second may come too late.
        expect(fate.killed, 'kills that happened').toBeGreaterThanOrEqual(1);
        fate.begin([]);
        await storeInsisting(b, pointsOf(start + dayMs, start + 9 * dayMs, 30));
        await expectWhole(b, start, start + 14 * dayMs);
      };
      await storeInsisting(newBench(), pointsOf(start, start + dayMs, 3));
      const statements = await statementsOf(() =>
        storeInsisting(newBench(), pointsOf(start, start + 10 * dayMs, 60)),
      );
      // After a death the flush is counted in each of its tables, and repaired where that is needed.
      const kills = fc.tuple(killAt(statements), killAt(3 * statements));
      await fc.assert(
        fc.asyncProperty(kills, (chosen) => run(chosen)),
        { numRuns: isLong ? 100 : 3, endOnFailure: true },
      );
    },
    isLong ? 3_600_000 : 600_000,
  );

  test(
    'of sealing, compaction, cleaning and retention: nothing visible changes',
    async () => {
      const upkeep = async (b: Bench, now: number, retention = forEver): Promise<void> => {
        await insist(async () => void (await b.maintain(now, { retention })));
      };
      let killed = 0;
      const run = async (kills: readonly Kill[]): Promise<void> => {
        const b = newBench();
        const start = nextMonday();
        for (let flush = 0; flush < 6; flush++)
          await storeInsisting(b, pointsOf(start + flush * 1000, start + 4 * hourMs, 12));
        fate.begin(kills);
        // Hours and the day; the short chunks; then what those replaced; then late points, folded in.
        for (const hours of [48, 50, 52]) {
          await upkeep(b, start + hours * hourMs);
          await expectWhole(b, start, start + dayMs);
        }
        await storeInsisting(b, pointsOf(start + hourMs, start + 3 * hourMs, 6));
        for (const hours of [54, 56]) await upkeep(b, start + hours * hourMs);
        await expectWhole(b, start, start + dayMs);
        const short = new Map([['', { rawMs: dayMs, fineMs: dayMs, coarseMs: Infinity }]]);
        await upkeep(b, start + 4 * weekMs, short);
        killed += fate.killed;
        await insist(async () => {
          expect(await countOf(b, start, start + dayMs, hourMs, true)).toBe(b.points.length);
          expect((await b.readPoints({ from: start, to: start + dayMs })).length).toBe(0);
        });
      };
      // Twice: the first one also does what the test before left to do.
      await run([]);
      const statements = await statementsOf(() => run([]));
      expect(statements).toBeGreaterThan(20);
      // One early for certain; how many statements a run has depends on the merges between, so a late one may not come.
      await run([{ statement: 5, when: 'during', workMs: 2, isWhole: false }]);
      expect(killed, 'kills that happened').toBe(1);
      await fc.assert(
        fc.asyncProperty(killAt(statements), (kill) => run([kill])),
        { numRuns: isLong ? 60 : 2, endOnFailure: true },
      );
    },
    isLong ? 3_600_000 : 600_000,
  );
});
