import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { api, messageOf } from '../../api/http.ts';
import { showToast } from '../../ui/toast.tsx';

/** Settings of alerting that are lists of a tenant, by the name of their list over REST. */
export type PolicyList = 'silences' | 'maintenance' | 'inhibitions' | 'schedules' | 'channels';

const pathOf = (list: PolicyList, id: string): string => `/api/v1/${list}/${encodeURIComponent(id)}`;

/** Makes one (`id` undefined) or changes one; `onSaved` runs once the list holds it. */
export function useSavePolicy<Content>(
  list: PolicyList,
  id: string | undefined,
  onSaved: () => void,
): UseMutationResult<unknown, Error, Content> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (content: Content) =>
      id === undefined
        ? api<unknown>('POST', `/api/v1/${list}`, content)
        : api<unknown>('PUT', pathOf(list, id), content),
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: [list] }),
        client.invalidateQueries({ queryKey: ['alerts'] }),
      ]);
      onSaved();
    },
  });
}

export function useDeletePolicy(
  list: PolicyList,
  id: string,
  done: string,
): UseMutationResult<void, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api<void>('DELETE', pathOf(list, id)),
    onSuccess: () => showToast('ok', done),
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: [list] }),
        client.invalidateQueries({ queryKey: ['alerts'] }),
      ]),
  });
}
