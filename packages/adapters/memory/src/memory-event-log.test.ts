import { eventLogConformance } from '@nowcast/ports/testing';
import type { EventLog } from '@nowcast/ports';
import { MemoryEventLog, MemoryLogStore } from './memory-event-log.ts';

const stores = new WeakMap<object, MemoryLogStore>();

async function open(store: MemoryLogStore, partitions: number): Promise<EventLog> {
  const log = new MemoryEventLog({ store, partitions });
  await log.run();
  return log;
}

eventLogConformance({
  name: 'MemoryEventLog',
  atomicCalls: true,
  exclusive: true,
  create(partitions) {
    const store = new MemoryLogStore(partitions);
    const fixture = {
      open: () => open(store, partitions),
      close: (log: EventLog) => log.stop(),
      async crash(log: EventLog) {
        if (log instanceof MemoryEventLog) log.crash();
      },
      async dispose() {},
    };
    stores.set(fixture, store);
    return Promise.resolve(fixture);
  },
  openWithPartitions: (fixture, partitions) => open(stores.get(fixture)!, partitions),
});
