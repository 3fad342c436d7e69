export type * from './engine.ts';
export type * from './event-log.ts';
export type * from './warehouse.ts';
