export { LiveViewRegistry, type LiveStats } from './registry.ts';
export {
  defaultLiveLimits,
  type FeedRecord,
  type GridLoad,
  type LiveLimits,
  type LiveSources,
  type PointRun,
  type RecordLoad,
  type RunWants,
  type Tick,
} from './sources.ts';
