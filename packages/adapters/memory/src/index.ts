export { MemoryEventLog, MemoryLogStore } from './memory-event-log.ts';
