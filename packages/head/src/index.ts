export type { RecentPoints, SeriesRegistry } from './registry.ts';
export { definitionBytes } from './definition-bytes.ts';
export { SeriesIndex } from './series-index.ts';
export { MetricIndex, requiredValues, seriesTest, seriesValue, valueTest } from './metric-index.ts';
export { type GatheredRun, GatheredRuns } from './gathered-runs.ts';
export { type AppliedBatch, Tail, type TailRecord } from './tail.ts';
