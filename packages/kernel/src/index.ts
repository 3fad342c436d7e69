export { assert, unreachable } from './assert.ts';
export { AppError, isAppError } from './errors.ts';
export { type Clock, ManualClock, systemClock } from './clock.ts';
export { GrowableUint32 } from './growable-uint32.ts';
export { randomId } from './ids.ts';
export type { Service, Unsubscribe } from './service.ts';
