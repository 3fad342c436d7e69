import { createKillableWarehouse } from '@nowcast/adapter-clickhouse/testing';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { logModelSuite } from '@nowcast/log-model';
import { EngineBench } from './testing/engine-bench.ts';
import { ModelSystem } from './testing/model-system.ts';

const isLong = process.env['NOWCAST_LONG'] === '1';
/** The minute ends with its day, so that upkeep has an hour and a day to seal. */
const baseMs = Date.UTC(2026, 2, 2) - 60_000;

/** Everything evicted once it is flushed, so that answers come from the warehouse; or everything kept in memory. */
for (const [name, memory] of [
  ['nothing but the unflushed points in memory', { hotPoints: 0, hotMs: 0 }],
  ['all points in memory', {}],
] as const) {
  logModelSuite(
    `the embedded engine with ${name}`,
    async () => {
      const bench = new EngineBench({
        adapters: {
          // Segments of a few records, so that the log is cut in earnest.
          openLog: (directory) => new LocalEventLog({ directory, partitions: 3, segmentBytes: 1024 }),
          openWarehouse: createKillableWarehouse,
        },
        nowMs: baseMs + 30_000,
        engine: memory,
      });
      await bench.start();
      return new ModelSystem(bench, baseMs);
    },
    { runs: isLong ? 200 : 4, commands: 40, timeoutMs: isLong ? 3_600_000 : 120_000 },
  );
}
