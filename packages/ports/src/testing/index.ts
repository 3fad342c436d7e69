export { alertStoreConformance } from './alert-store.ts';
export { type EventLogFixture, type EventLogHarness, eventLogConformance } from './event-log.ts';
export { hotStoreConformance } from './hot-store.ts';
export { liveBusConformance } from './live-bus.ts';
export { type MetaStoreHarness, metaStoreConformance } from './meta-store.ts';
export { type WarehouseHarness, warehouseConformance } from './warehouse.ts';
export { at, Bench, dayMs, expected, forEver, hourMs, monday, nothing, shown } from './warehouse-bench.ts';
export { revocationConformance, type TwoStoresHarness } from './revocations.ts';
export { selfSignedCertificate } from './certificate.ts';
