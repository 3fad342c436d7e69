import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Board, BoardContent } from '@nowcast/contract';
import { api, ApiError, messageOf } from '../../api/http.ts';
import { boardQuery } from '../../api/queries.ts';
import { showToast } from '../../ui/toast.tsx';

/**
 * Saves a draft over the version it was made from; somebody else's newer version is a question, not an error. `made` is
 * the board the draft was made from: `base` stays at its version, however often the board is fetched again meanwhile,
 * and moves with one's own save only. The newest version known would let a draft replace what it never held.
 * `onSaved` hears what was saved: the draft may have gone on meanwhile.
 */
export function useSaveBoard(made: Board, onSaved: (content: BoardContent) => void) {
  const client = useQueryClient();
  const [base, setBase] = useState(made.version);
  const [conflict, setConflict] = useState<{ version: number; content: BoardContent } | null>(null);
  const save = useMutation({
    mutationFn: ({ content, over }: { content: BoardContent; over: number }) =>
      api<Board>('PUT', `/api/v1/boards/${made.board_id}`, { content, base_version: over }),
    onSuccess: async (saved, { content }) => {
      setBase(saved.version);
      setConflict(null);
      client.setQueryData(boardQuery(saved.board_id).queryKey, saved);
      await client.invalidateQueries({ queryKey: ['boards'] });
      showToast('ok', `Saved as version ${saved.version}`);
      onSaved(content);
    },
    onError: (error, { content }) => {
      const version =
        error instanceof ApiError && error.status === 409 ? error.details?.['version'] : undefined;
      if (typeof version === 'number') setConflict({ version, content });
      else showToast('error', messageOf(error));
    },
  });
  return {
    /** Version that the draft was made from, or last saved as. */
    base,
    saving: save.isPending,
    save: (content: BoardContent) => save.mutate({ content, over: base }),
    conflict,
    overwrite: () => conflict !== null && save.mutate({ content: conflict.content, over: conflict.version }),
    takeTheirs: async (onTaken: () => void) => {
      setConflict(null);
      await client.refetchQueries({ queryKey: boardQuery(made.board_id).queryKey });
      onTaken();
    },
    dismiss: () => setConflict(null),
  };
}
