import { Ellipsis, History, Plus, Redo2, Settings2, Undo2 } from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { Menu } from '../../ui/menu.tsx';

/** Add, Undo, Redo, Discard, Save; on a phone what concerns the board as a whole is in a menu. */
export function EditBar({
  canUndo,
  canRedo,
  dirty,
  saving,
  onAdd,
  onSettings,
  onVersions,
  onUndo,
  onRedo,
  onDiscard,
  onSave,
}: {
  canUndo: boolean;
  canRedo: boolean;
  dirty: boolean;
  saving: boolean;
  onAdd: () => void;
  onSettings: () => void;
  onVersions: () => void;
  onUndo: () => void;
  onRedo: () => void;
  onDiscard: () => void;
  onSave: () => void;
}) {
  return (
    <>
      <Button aria-label="Add panel" className="max-sm:w-11 max-sm:p-0" onPress={onAdd}>
        <Plus size={15} aria-hidden />
        <span className="max-sm:hidden">Add panel</span>
      </Button>
      <Menu
        label="Board menu"
        entries={[
          {
            id: 'settings',
            title: 'Board settings',
            icon: <Settings2 size={15} aria-hidden />,
            run: onSettings,
          },
          { id: 'versions', title: 'Versions', icon: <History size={15} aria-hidden />, run: onVersions },
        ]}
        trigger={(props) => (
          <Button {...props} variant="ghost" icon className="sm:hidden" aria-label="Board menu">
            <Ellipsis size={16} aria-hidden />
          </Button>
        )}
      />
      <Button variant="ghost" icon aria-label="Board settings" className="max-sm:hidden" onPress={onSettings}>
        <Settings2 size={16} aria-hidden />
      </Button>
      <Button variant="ghost" icon aria-label="Versions" className="max-sm:hidden" onPress={onVersions}>
        <History size={16} aria-hidden />
      </Button>
      <Button variant="ghost" icon aria-label="Undo" isDisabled={!canUndo} onPress={onUndo}>
        <Undo2 size={16} aria-hidden />
      </Button>
      <Button variant="ghost" icon aria-label="Redo" isDisabled={!canRedo} onPress={onRedo}>
        <Redo2 size={16} aria-hidden />
      </Button>
      <Button onPress={onDiscard}>{dirty ? 'Discard' : 'Done'}</Button>
      <Button variant="primary" isDisabled={!dirty || saving} onPress={onSave}>
        {saving ? 'Saving…' : 'Save'}
      </Button>
    </>
  );
}
