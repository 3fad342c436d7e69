import { liveBusConformance } from '@nowcast/ports/testing';
import { MemoryLiveBus } from './memory-live-bus.ts';

liveBusConformance({
  name: 'MemoryLiveBus',
  create(onListenerError) {
    const bus = new MemoryLiveBus({ onListenerError });
    return Promise.resolve({ here: bus, there: bus });
  },
});
