import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Board, BoardContent } from '@nowcast/contract';
import { api, ApiError, messageOf } from '../../api/http.ts';
import { boardQuery } from '../../api/queries.ts';
import { showToast } from '../../ui/toast.tsx';

/** Saves a draft over the version it was made from; somebody else's newer version is a question, not an error. */
export function useSaveBoard(board: Board, onSaved: (board: Board) => void) {
  const client = useQueryClient();
  const [conflict, setConflict] = useState<{ version: number; content: BoardContent } | null>(null);
  const save = useMutation({
    mutationFn: ({ content, base }: { content: BoardContent; base: number }) =>
      api<Board>('PUT', `/api/v1/boards/${board.board_id}`, { content, base_version: base }),
    onSuccess: async (saved) => {
      setConflict(null);
      client.setQueryData(boardQuery(saved.board_id).queryKey, saved);
      await client.invalidateQueries({ queryKey: ['boards'] });
      showToast('ok', `Saved as version ${saved.version}`);
      onSaved(saved);
    },
    onError: (error, { content }) => {
      const version =
        error instanceof ApiError && error.status === 409 ? error.details?.['version'] : undefined;
      if (typeof version === 'number') setConflict({ version, content });
      else showToast('error', messageOf(error));
    },
  });
  return {
    saving: save.isPending,
    save: (content: BoardContent) => save.mutate({ content, base: board.version }),
    conflict,
    overwrite: () => conflict !== null && save.mutate({ content: conflict.content, base: conflict.version }),
    takeTheirs: async (onTaken: () => void) => {
      setConflict(null);
      await client.refetchQueries({ queryKey: boardQuery(board.board_id).queryKey });
      onTaken();
    },
    dismiss: () => setConflict(null),
  };
}
