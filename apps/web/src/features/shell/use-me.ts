import { useSuspenseQuery } from '@tanstack/react-query';
import type { User } from '@nowcast/contract';
import { meQuery } from '../../api/queries.ts';
import type { ZoneName } from '../../time/zone.ts';

/** The signed-in user; the shell has waited for it. */
export function useMe(): User {
  return useSuspenseQuery(meQuery).data;
}

export function usePreferredZone(): ZoneName {
  return useMe().preferences.time_zone;
}

export function mayEdit(user: User): boolean {
  return user.role !== 'viewer';
}

export function mayAdminister(user: User): boolean {
  return user.role === 'admin' || user.role === 'owner';
}
