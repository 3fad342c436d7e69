/** A parent for the test of orphans: starts the engine, tells its process id and then only waits. */
import { systemClock } from '@nowcast/kernel';
import { ChdbConnection } from './chdb-connection.ts';

const connection = new ChdbConnection({ dir: process.argv[2]!, clock: systemClock, log: () => undefined });
await connection.open();
process.send?.(connection.childPid);
