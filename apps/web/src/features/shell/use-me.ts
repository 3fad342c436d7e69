import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import type { Preferences, User } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { meQuery } from '../../api/queries.ts';
import type { ZoneName } from '../../time/zone.ts';
import { showToast } from '../../ui/toast.tsx';

/** The signed-in user; the shell has waited for it. */
export function useMe(): User {
  return useSuspenseQuery(meQuery).data;
}

export function usePreferredZone(): ZoneName {
  return useMe().preferences.time_zone;
}

const preferencesKey = ['preferences'];

/** Changes preferences at once, and keeps them one request after the other: each says all of them. */
export function useSavePreferences() {
  const client = useQueryClient();
  const { queryKey } = meQuery;
  const isLast = (): boolean => client.isMutating({ mutationKey: preferencesKey }) === 1;
  return useMutation({
    mutationKey: preferencesKey,
    scope: { id: 'preferences' },
    onMutate: async (change: Partial<Preferences>) => {
      const former = client.getQueryData(queryKey);
      client.setQueryData(
        queryKey,
        (user) => user && { ...user, preferences: { ...user.preferences, ...change } },
      );
      // An answer on its way is older than this change.
      await client.cancelQueries({ queryKey });
      return former;
    },
    mutationFn: () =>
      api<User>('PATCH', '/api/v1/me', { preferences: client.getQueryData(queryKey)?.preferences }),
    onError: (error, _, former) => {
      showToast('error', messageOf(error));
      if (isLast()) client.setQueryData(queryKey, former);
    },
    onSettled: () => isLast() && client.invalidateQueries({ queryKey }),
  });
}

export function mayEdit(user: User): boolean {
  return user.role !== 'viewer';
}

export function mayAdminister(user: User): boolean {
  return user.role === 'admin' || user.role === 'owner';
}
