import { hotStoreConformance } from '@nowcast/ports/testing';
import { MemoryHotStore } from './memory-hot-store.ts';

hotStoreConformance({
  name: 'MemoryHotStore',
  create: (options) => Promise.resolve(new MemoryHotStore(options)),
});
