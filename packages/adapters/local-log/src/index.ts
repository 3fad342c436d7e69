export { LocalEventLog, type LocalEventLogOptions } from './local-event-log.ts';
export type { LogAlarm, LogStats } from './log-stats.ts';
