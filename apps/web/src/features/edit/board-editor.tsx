import { useEffect, useMemo, useReducer, useRef, useState, type Dispatch, type ReactNode } from 'react';
import type { Board, BoardContent, Panel as PanelSpec } from '@nowcast/contract';
import type { ViewStore } from '../../live/view-store.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { LeaveQuestion } from '../../ui/leave-question.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useIsHere } from '../../ui/use-is-here.ts';
import { boardContent, replacePanel } from '../board/board-content.ts';
import { boardColumns, compact, type Box } from '../board/grid-layout.ts';
import { focusPanel } from '../board/focus-panel.ts';
import { boxesOf, withBoxes } from '../board/panel-boxes.ts';
import { PanelMenu } from '../board/panel-menu.tsx';
import { Panel } from '../board/panel.tsx';
import { useBoardView } from '../board/board-context.ts';
import { VersionsDialog } from '../board/versions-dialog.tsx';
import { LayoutDashboard, Plus } from 'lucide-react';
import { AddPanelDialog } from './add-panel-dialog.tsx';
import { draftReducer, isDirty, type DraftAction } from './board-draft.ts';
import { BoardSettingsDialog } from './board-settings-dialog.tsx';
import { ConflictDialog } from './conflict-dialog.tsx';
import { EditBar } from './edit-bar.tsx';
import { draftOf, withoutPanel, withPanelBack, type EditIntent } from './edit-intent.ts';
import { EditGrid } from './edit-grid.tsx';
import { MoveDialog } from './move-dialog.tsx';
import { PanelEditor } from './panel-editor.tsx';
import { duplicatePanel } from './suggest-panel.ts';
import { useEditKeys } from './use-edit-keys.ts';
import { useSaveBoard } from './use-save-board.ts';
import { unfinishedTab, wholePanel } from './whole-panel.ts';

interface BoardEditorProps {
  board: Board;
  /** What editing begins with. */
  intent: EditIntent | null;
  selected: string | undefined;
  onSelect: (panelId: string | undefined) => void;
  onDone: () => void;
  onView: (panelId: string) => void;
  onTable: (panel: PanelSpec, store: ViewStore) => void;
  /** Called with the board's variables as they are being edited. */
  onVariables: (variables: BoardContent['variables']) => void;
  /** Puts the editor's buttons into the toolbar. */
  frame: (buttons: ReactNode, grid: ReactNode, content: BoardContent) => ReactNode;
}

/** Saves what is whole; where a number is missing the editor of that panel opens anew for each refusal, on the right tab. */
function useWholeSave(
  content: BoardContent,
  saveWhole: (content: BoardContent) => void,
  onSelect: BoardEditorProps['onSelect'],
): { save: () => void; refusals: number } {
  const [refusals, setRefusals] = useState(0);
  const save = (): void => {
    const unfinished = content.panels.find((panel) => unfinishedTab(panel) !== null);
    if (unfinished === undefined) return saveWhole(content);
    setRefusals(refusals + 1);
    onSelect(unfinished.visualization_id);
    showToast('error', `“${unfinished.title}” has a field that needs a number`);
  };
  return { save, refusals };
}

/** Leaves room for the drawer beside the board. */
function useDrawerRoom(isOpen: boolean): void {
  useEffect(() => {
    document.documentElement.toggleAttribute('data-drawer', isOpen);
    return () => document.documentElement.removeAttribute('data-drawer');
  }, [isOpen]);
}

/** Takes back the step that led to `step`, and no other: `without` says what the board is without it by now. */
function useTakeBack(content: BoardContent, dispatch: Dispatch<DraftAction>) {
  const now = useRef(content);
  now.current = content;
  return (step: BoardContent, without: (now: BoardContent) => BoardContent): void => {
    if (now.current === step) return dispatch({ type: 'undo' });
    const content = without(now.current);
    if (content !== now.current) dispatch({ type: 'change', content });
  };
}

/** The board while it is being changed: a draft with undo, saved as one version. */
export function BoardEditor(props: BoardEditorProps) {
  const { board, intent, selected, onSelect, onDone, onView, onTable, onVariables, frame } = props;
  const [draft, dispatch] = useReducer(draftReducer, { content: boardContent(board), intent }, draftOf);
  const [adding, setAdding] = useState(board.panels.length === 0);
  const [settings, setSettings] = useState(false);
  const [browsing, setBrowsing] = useState(false);
  const [moving, setMoving] = useState<PanelSpec | null>(
    () =>
      (intent?.kind === 'move' && board.panels.find((one) => one.visualization_id === intent.panelId)) ||
      null,
  );
  const [discarding, setDiscarding] = useState(false);
  const { zone } = useBoardView();
  const isDone = useRef(false);
  const isHere = useIsHere();
  const done = (): void => {
    if (!isHere()) return;
    isDone.current = true;
    onDone();
  };
  const { content } = draft;
  const latest = useRef(content);
  latest.current = content;
  const saver = useSaveBoard(board, (saved) =>
    saved === latest.current ? done() : dispatch({ type: 'saved', content: saved }),
  );
  const drawn = useMemo(() => content.panels.map(wholePanel), [content.panels]);
  const dirty = isDirty(draft);
  const change = (panels: PanelSpec[], tag = ''): void =>
    dispatch({ type: 'change', content: { ...content, panels }, tag });
  const undo = (): void => dispatch({ type: 'undo' });
  const takeBack = useTakeBack(content, dispatch);
  const redo = (): void => dispatch({ type: 'redo' });
  const { save, refusals } = useWholeSave(content, saver.save, onSelect);
  useEditKeys({ undo, redo, save: () => dirty && save() });

  useEffect(() => onVariables(content.variables), [onVariables, content.variables]);

  const drawerOpen = content.panels.some((panel) => panel.visualization_id === selected);
  useDrawerRoom(drawerOpen);

  const setBoxes = (boxes: readonly Box[]): void => change(withBoxes(content.panels, boxes));
  const remove = (panel: PanelSpec): void => {
    const at = content.panels.findIndex((one) => one.visualization_id === panel.visualization_id);
    const next = { ...content, panels: withoutPanel(content.panels, panel.visualization_id) };
    dispatch({ type: 'change', content: next });
    if (selected === panel.visualization_id) onSelect(undefined);
    const neighbour = next.panels[at] ?? next.panels.at(-1);
    if (neighbour !== undefined) focusPanel(neighbour.visualization_id);
    const putBack = (now: BoardContent): BoardContent => withPanelBack(now, content.panels[at]!, at);
    showToast('ok', `“${panel.title}” deleted`, { title: 'Undo', run: () => takeBack(next, putBack) });
  };
  const add = (panel: PanelSpec): void => {
    change([...content.panels, panel]);
    setAdding(false);
    onSelect(panel.visualization_id);
    setTimeout(
      () =>
        document
          .querySelector(`[data-panel="${panel.visualization_id}"]`)
          ?.scrollIntoView({ block: 'nearest' }),
      50,
    );
  };
  const move = (panel: PanelSpec, layout: PanelSpec['layout']): void => {
    const id = panel.visualization_id;
    const boxes = boxesOf(content.panels).map((box) => (box.id === id ? { id, ...layout } : box));
    setBoxes(compact(boxes, boardColumns, id));
    setMoving(null);
  };
  const current = content.panels.find((panel) => panel.visualization_id === selected);

  const buttons = (
    <EditBar
      canUndo={draft.past.length > 0}
      canRedo={draft.future.length > 0}
      dirty={dirty}
      saving={saver.saving}
      onAdd={() => setAdding(true)}
      onSettings={() => setSettings(true)}
      onVersions={() => setBrowsing(true)}
      onUndo={undo}
      onRedo={redo}
      onDiscard={() => (dirty ? setDiscarding(true) : done())}
      onSave={save}
    />
  );
  const grid = (
    <>
      {content.panels.length === 0 && <EmptyBoard onAdd={() => setAdding(true)} />}
      <EditGrid panels={drawn} selected={selected} onBoxes={setBoxes}>
        {(panel, grip) => (
          <Panel
            panel={panel}
            grip={grip}
            menu={(data) => (
              <PanelMenu
                panel={panel}
                data={data}
                actions={{
                  onView: () => onView(panel.visualization_id),
                  onTable: (store) => onTable(panel, store),
                  onEdit: () => onSelect(panel.visualization_id),
                  onDuplicate: () => change([...content.panels, duplicatePanel(panel, content.panels)]),
                  onMove: () => setMoving(panel),
                  onDelete: () => remove(panel),
                }}
              />
            )}
          />
        )}
      </EditGrid>
    </>
  );
  return (
    <>
      {frame(buttons, grid, content)}
      {current !== undefined && (
        <PanelEditor
          key={`${current.visualization_id} ${refusals}`}
          panel={current}
          onChange={(panel, tag) =>
            change(
              replacePanel(content.panels, panel),
              tag === '' ? tag : `${tag} of ${panel.visualization_id}`,
            )
          }
          onClose={() => onSelect(undefined)}
        />
      )}
      {adding && <AddPanelDialog panels={content.panels} onAdd={add} onClose={() => setAdding(false)} />}
      {moving !== null && (
        <MoveDialog
          panel={moving}
          onMove={(layout) => move(moving, layout)}
          onClose={() => setMoving(null)}
        />
      )}
      {settings && (
        <BoardSettingsDialog
          content={content}
          onClose={() => setSettings(false)}
          onApply={(next) => {
            dispatch({ type: 'change', content: next });
            setSettings(false);
          }}
        />
      )}
      {browsing && (
        <VersionsDialog
          boardId={board.board_id}
          current={saver.base}
          content={content}
          zone={zone}
          onClose={() => setBrowsing(false)}
          onRestore={(next, version) => {
            dispatch({ type: 'change', content: next });
            setBrowsing(false);
            showToast('ok', `Version ${version} is back as a change; save to keep it`, {
              title: 'Undo',
              run: () => takeBack(next, () => content),
            });
          }}
        />
      )}
      {discarding && (
        <Confirm
          title="Discard your changes?"
          text="The board goes back to its last saved version."
          action="Discard changes"
          onClose={() => setDiscarding(false)}
          onConfirm={done}
        />
      )}
      <LeaveQuestion
        unsaved={dirty}
        isDone={isDone}
        isHere={(search) => 'edit' in search}
        text="Your changes to this board have not been saved."
      />
      {saver.conflict !== null && (
        <ConflictDialog
          theirs={saver.conflict.version}
          mine={saver.base}
          onKeepEditing={saver.dismiss}
          onOverwrite={saver.overwrite}
          onTakeTheirs={() => {
            void saver.takeTheirs(done);
          }}
        />
      )}
    </>
  );
}

function EmptyBoard({ onAdd }: { onAdd: () => void }) {
  return (
    <EmptyState
      icon={<LayoutDashboard size={22} aria-hidden />}
      title="An empty board"
      text="Choose something that is measured, and it starts to move here."
    >
      <Button variant="primary" onPress={onAdd}>
        <Plus size={15} aria-hidden />
        Add the first panel
      </Button>
    </EmptyState>
  );
}
