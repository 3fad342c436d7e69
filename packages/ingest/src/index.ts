export { type DurableRecord, type IngestOptions, IngestService, type IngestStats } from './ingest-service.ts';
