export { LiveViewRegistry, type LiveStats } from './registry.ts';
export type { FeedRecord, GridLoad, LiveSources, PointRun, RecordLoad, RunWants, Tick } from './sources.ts';
