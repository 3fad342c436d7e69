import { nodeDisk } from './disk.ts';
import { prepareIdentity, publishIdentity, storedPartitions } from './log-identity.ts';

export type { HeldLog } from './held-log.ts';
export { LocalEventLog, type LocalEventLogOptions } from './local-event-log.ts';
export type { LogAlarm, LogStats } from './log-stats.ts';

/** Number of partitions the log in this directory was made with; undefined when there is none yet. */
export function partitionsOfLog(directory: string): Promise<number | undefined> {
  return storedPartitions(nodeDisk, directory);
}

/**
 * Makes the segments that were put into this directory a log of its own: the same records under a new epoch, which it
 * returns. Positions that were given out before then mean nothing here, and are recognised as foreign.
 */
export async function beginEpoch(directory: string, partitions: number): Promise<string> {
  const { epoch } = await prepareIdentity(nodeDisk, directory, partitions);
  await publishIdentity(nodeDisk, directory);
  return epoch;
}
