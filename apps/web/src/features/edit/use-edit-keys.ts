import { useEffect, useRef } from 'react';

/** Cmd/Ctrl-Z, Shift-Cmd-Z and Cmd-S while a board is edited; a text field keeps its own undo. */
export function useEditKeys(actions: { undo: () => void; redo: () => void; save: () => void }): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!event.metaKey && !event.ctrlKey) return;
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea') !== null;
      const key = event.key.toLowerCase();
      if (key === 's') latest.current.save();
      else if (typing) return;
      else if (key === 'z' && event.shiftKey) latest.current.redo();
      else if (key === 'z') latest.current.undo();
      else if (key === 'y') latest.current.redo();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
