export { CounterCells } from './counter-rows.ts';
export { buildFlush, type FlushRange } from './flush.ts';
export { gridOf, QueryService } from './query-service.ts';
export type { HistoryReader, Join } from './reader.ts';
export { readRecords } from './records.ts';
export type { HeadSource, Pin } from './sources.ts';
export type { Selection } from './selection.ts';
export { FlushScratch } from './flush-points.ts';
export { type WarmStats, WarmStore } from './warm/warm-store.ts';
