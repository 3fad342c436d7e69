import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Board } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { boardQuery } from '../../api/queries.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Check } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { showToast } from '../../ui/toast.tsx';
import { boardContent } from './board-content.ts';

/** The address of what is on the screen, and who else may open it. */
export function ShareDialog({ board, onClose }: { board: Board; onClose: () => void }) {
  const client = useQueryClient();
  const share = useMutation({
    mutationFn: (shared: boolean) =>
      api<Board>('PUT', `/api/v1/boards/${board.board_id}`, {
        content: { ...boardContent(board), shared },
        base_version: board.version,
      }),
    onSuccess: async (saved) => {
      client.setQueryData(boardQuery(board.board_id).queryKey, saved);
      await client.invalidateQueries({ queryKey: ['boards'] });
      showToast(
        'ok',
        saved.shared ? 'Everyone in the organisation can see this board' : 'Only you can see this board',
      );
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  const address = location.href.replace(/[?&]edit=true/, '');
  return (
    <Modal title="Share this board" open onClose={onClose}>
      <div className="flex flex-col gap-5">
        <div>
          <p className="label">Address of this view, with its range and filters</p>
          <div className="flex items-center gap-2">
            <code className="field flex min-w-0 items-center overflow-hidden font-mono text-xs">
              <span className="truncate">{address}</span>
            </code>
            <CopyButton text={address} label="Copy the address" />
          </div>
        </div>
        <Check
          label="Everyone in the organisation can see it"
          hint={board.editable ? 'Its owner and administrators can change it.' : 'Its owner decides this.'}
          checked={board.shared}
          disabled={!board.editable || share.isPending}
          onChecked={(shared) => share.mutate(shared)}
        />
      </div>
    </Modal>
  );
}
