export { MemoryEventLog, MemoryLogStore } from './memory-event-log.ts';
export { MemoryHotStore } from './memory-hot-store.ts';
export { MemoryLiveBus } from './memory-live-bus.ts';
