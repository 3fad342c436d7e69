import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, messageOf } from '../../api/http.ts';
import { showToast } from '../../ui/toast.tsx';

/** Stars a board or takes the star away. */
export function useStar(boardId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (starred: boolean) => api<void>('PUT', `/api/v1/boards/${boardId}/star`, { starred }),
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ['board', boardId] }),
        client.invalidateQueries({ queryKey: ['boards'] }),
      ]);
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
}
