/** A worker thread for the test of worker threads: one query, its answer posted back. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@nowcast/kernel';
import { readNative } from '../native-reader.ts';
import { ChdbConnection } from './chdb-connection.ts';

const connection = new ChdbConnection({
  dir: workerData as string,
  clock: systemClock,
  log: () => undefined,
});
await connection.open();
const bytes = await connection.query(
  'SELECT toUInt32(41) + toUInt32(1) AS answer',
  {},
  { lane: 'read', timeoutMs: 10_000 },
);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
parentPort?.postMessage({ pid: connection.childPid, answer: readNative(bytes).numbers('answer')[0] });
