export { type DurableRecord, type IngestOptions, IngestService, type IngestStats } from './ingest-service.ts';
export type { SourceTotals } from './source-counters.ts';
