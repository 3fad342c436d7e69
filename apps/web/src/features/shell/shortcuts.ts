import { useEffect, useRef } from 'react';
import { useMe } from './use-me.ts';

/** Keys of the screens. Ignored while typing, with a dialog open, and when the profile switches them off. */
export type Shortcuts = Readonly<Record<string, (() => unknown) | undefined>>;

const sequenceMs = 900;

function isBusy(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('input, textarea, select, [contenteditable], [role="menu"], [role="dialog"]') !== null)
    return true;
  return document.querySelector('[role="dialog"]') !== null;
}

/** Runs `shortcuts['g h']` after g and h, `shortcuts['e']` after e. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const enabled = useMe().preferences.shortcuts;
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    if (!enabled) return undefined;
    let prefix = '';
    let prefixAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isBusy(event.target))
        return;
      const continues = prefix !== '' && performance.now() - prefixAt < sequenceMs;
      const both = continues ? `${prefix} ${event.key}` : event.key;
      const run = latest.current[both];
      prefix = event.key === 'g' ? 'g' : '';
      prefixAt = performance.now();
      if (run === undefined) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [enabled]);
}
