import { existsSync } from 'node:fs';
import { AccessService } from '@nowcast/access';
import type { Actor } from '@nowcast/contract';
import { AppError, systemClock } from '@nowcast/kernel';
import type { MetaStore } from '@nowcast/ports';
import { metaStoreOf, metaStorePath } from '../embedded.ts';
import { orFullDisk } from './full-disk.ts';

/** Users and keys of an installation, opened from this machine's shell; a server may be running meanwhile. */
export interface LocalAccess {
  access: AccessService;
  store: MetaStore;
}

export async function withLocalAccess<T>(
  dataDir: string,
  work: (local: LocalAccess) => Promise<T>,
  options: { create?: boolean } = {},
): Promise<T> {
  if (options.create !== true && !existsSync(metaStorePath(dataDir))) {
    throw new AppError(
      'request.not_found',
      `there is no installation in ${dataDir}; give --data-dir, or run setup first`,
    );
  }
  try {
    return await withStores(dataDir, work);
  } catch (error) {
    throw await orFullDisk(error, dataDir);
  }
}

async function withStores<T>(dataDir: string, work: (local: LocalAccess) => Promise<T>): Promise<T> {
  const store = metaStoreOf(dataDir);
  await store.run();
  const access = new AccessService({ store, clock: systemClock });
  try {
    await access.run();
    return await work({ access, store });
  } finally {
    await access.stop();
    await store.stop();
  }
}

/** Acts for the organisation of that name or id; the name may be left out while there is only one. */
export async function operatorOf(store: MetaStore, tenant: string | undefined): Promise<Actor> {
  const tenants = await store.tenants.list();
  const found =
    tenant === undefined
      ? tenants
      : tenants.filter(({ tenantId, name }) => tenant === tenantId || tenant === name);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return { kind: 'operator', tenant_id: only.tenantId };
  if (tenants.length === 0)
    throw new AppError('request.not_found', 'there is no organisation yet; run "nowcast setup" first');
  const names = tenants.map(({ name }) => name).join(', ');
  throw new AppError('request.invalid', `say which organisation with --tenant; there are ${names}`);
}
