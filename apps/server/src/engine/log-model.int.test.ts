import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { logModelSuite } from '@nowcast/log-model';
import { EngineBench } from './testing/engine-bench.ts';
import { ModelSystem } from './testing/model-system.ts';

const isLong = process.env['NOWCAST_LONG'] === '1';
/** The minute ends with its day, so that upkeep has an hour and a day to seal. */
const baseMs = Date.UTC(2026, 2, 2) - 60_000;
/** Lives take turns: everything evicted once it is flushed, so that answers come from the warehouse; or kept. */
const memories = [{ hotPoints: 0, hotMs: 0 }, { hotPoints: 5, hotMs: 1e12 }, {}];
let lives = 0;

logModelSuite(
  'the embedded engine',
  async () => {
    const bench = new EngineBench({
      adapters: {
        // Segments of a few records, so that the log is cut in earnest.
        openLog: (directory) => new LocalEventLog({ directory, partitions: 3, segmentBytes: 512 }),
        openWarehouse: createKillableWarehouse,
        openHotStore: (budgetRows) => new MemoryHotStore({ budgetRows, keepMs: 86_400_000 }),
      },
      nowMs: baseMs + 30_000,
      engine: memories[lives % memories.length]!,
    });
    lives += 1;
    await bench.start();
    return new ModelSystem(bench, baseMs);
  },
  // Few long lives rather than many short ones: every life costs a start, and needs flushes before its log is cut.
  { runs: isLong ? 50 : 5, commands: 100, timeoutMs: isLong ? 7_200_000 : 600_000 },
);
