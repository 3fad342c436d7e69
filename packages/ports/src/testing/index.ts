export { type EventLogFixture, type EventLogHarness, eventLogConformance } from './event-log.ts';
export { type MetaStoreHarness, metaStoreConformance } from './meta-store.ts';
export { type WarehouseHarness, warehouseConformance } from './warehouse.ts';
