import { nodeDisk } from './disk.ts';
import { storedPartitions } from './log-identity.ts';

export { LocalEventLog, type LocalEventLogOptions } from './local-event-log.ts';
export type { LogAlarm, LogStats } from './log-stats.ts';

/** Number of partitions the log in this directory was made with; undefined when there is none yet. */
export function partitionsOfLog(directory: string): Promise<number | undefined> {
  return storedPartitions(nodeDisk, directory);
}
