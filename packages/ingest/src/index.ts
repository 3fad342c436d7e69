export { type DurableRecord, type IngestOptions, IngestService, type IngestStats } from './ingest-service.ts';
export { openText } from './line-text.ts';
export type { SourceTotals } from './source-counters.ts';
