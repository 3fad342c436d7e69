import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalEventLog } from '@nowcast/adapter-local-log';
import { machine, quantile } from '../harness/machine.ts';

const batchBytes = 64 * 1024;
const callers = 8;
const warmBytes = 256 * 2 ** 20;
const bytesPerRun = 512 * 2 ** 20;

interface Run {
  seconds: number;
  cpuSeconds: number;
  /** Of each call, from `append` to its answer. */
  latenciesMs: number[];
}

/** Several callers append as fast as they are answered; the log is cut behind them, as behind a flush. */
async function appendAll(log: LocalEventLog, totalBytes: number): Promise<Run> {
  const payload = Buffer.alloc(batchBytes, 'x');
  const latenciesMs: number[] = [];
  let left = Math.ceil(totalBytes / batchBytes);
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const caller = async (_: unknown, partition: number): Promise<void> => {
    while (left-- > 0) {
      const sentMs = performance.now();
      await log.append([{ partition: partition % log.partitions, payload }]);
      latenciesMs.push(performance.now() - sentMs);
      if (left % 1000 === 0) await log.truncate(log.head());
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6, latenciesMs };
}

/** The local log alone: durable megabytes a second, what they cost, and how fast a start reads them back. */
export async function benchLog(): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), 'nowcast-bench-log-'));
  try {
    const log = new LocalEventLog({ directory, partitions: 3 });
    await log.run();
    await appendAll(log, warmBytes);
    const before = log.stats().fsyncs;
    const run = await appendAll(log, bytesPerRun);
    const fsyncs = log.stats().fsyncs - before;
    const { sizeBytes } = log.stats();
    await log.stop();
    const again = new LocalEventLog({ directory, partitions: 3 });
    const startedMs = performance.now();
    await again.run();
    const recoverySeconds = (performance.now() - startedMs) / 1000;
    await again.stop();
    return {
      measure: 'log',
      machine: machine(),
      batchBytes,
      callers,
      megabytesPerSecond: Math.round(bytesPerRun / 1e6 / run.seconds),
      megabytesPerCpuSecond: Math.round(bytesPerRun / 1e6 / run.cpuSeconds),
      fsyncsPerSecond: Math.round(fsyncs / run.seconds),
      appendMs: { p50: quantile(run.latenciesMs, 0.5), p99: quantile(run.latenciesMs, 0.99) },
      recoveryMegabytesPerSecond: Math.round(sizeBytes / 1e6 / recoverySeconds),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
