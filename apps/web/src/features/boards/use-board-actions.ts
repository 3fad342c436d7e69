import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { Board, BoardContentInput } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { showToast } from '../../ui/toast.tsx';

/** Creating, copying and deleting boards; what is created opens. */
export function useBoardActions() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ['boards'] });
  const onError = (error: unknown): void => showToast('error', messageOf(error));
  const create = useMutation({
    mutationFn: (content: BoardContentInput) => api<Board>('POST', '/api/v1/boards', { content }),
    onSuccess: async (board) => {
      await refresh();
      await navigate({ to: '/boards/$boardId', params: { boardId: board.board_id }, search: { edit: true } });
    },
    onError,
  });
  const duplicate = useMutation({
    mutationFn: (boardId: string) => api<Board>('POST', `/api/v1/boards/${boardId}/duplicate`),
    onSuccess: async (board) => {
      await refresh();
      await navigate({ to: '/boards/$boardId', params: { boardId: board.board_id } });
    },
    onError,
  });
  const remove = useMutation({
    mutationFn: (boardId: string) => api<void>('DELETE', `/api/v1/boards/${boardId}`),
    onSuccess: async () => {
      await refresh();
      showToast('ok', 'Board deleted');
    },
    onError,
  });
  return { create, duplicate, remove };
}
