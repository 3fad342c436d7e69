export { type MetaStoreHarness, metaStoreConformance } from './meta-store.ts';
