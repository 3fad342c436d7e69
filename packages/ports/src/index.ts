export type * from './engine.ts';
export type * from './event-log.ts';
export type * from './hot-store.ts';
export type * from './live-bus.ts';
export type * from './meta-store.ts';
export type * from './revocation-bus.ts';
export type * from './warehouse.ts';
