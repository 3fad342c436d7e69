import { alertHistoryConformance } from './alert-store-history.ts';
import { alertMessagesConformance } from './alert-store-messages.ts';
import { alertSettingsConformance } from './alert-store-settings.ts';
import type { MetaStoreHarness } from './meta-store.ts';

/** Every adapter behind `MetaStore` passes this with its `alerting`, unchanged. */
export function alertStoreConformance(adapter: string, open: () => Promise<MetaStoreHarness>): void {
  alertSettingsConformance(adapter, open);
  alertHistoryConformance(adapter, open);
  alertMessagesConformance(adapter, open);
}
