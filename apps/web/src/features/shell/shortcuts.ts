import { useEffect, useRef } from 'react';
import { modifier } from './modifier.ts';
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

/** For the help page. */
export const shortcutHelp: readonly {
  title: string;
  keys: readonly (readonly [keys: string, text: string])[];
}[] = [
  {
    title: 'Everywhere',
    keys: [
      ['?', 'This help'],
      [`${modifier}K`, 'Go to anything'],
      ['/', 'Search'],
      ['g h', 'Home'],
      ['g d', 'Boards'],
      ['g e', 'Explore'],
      ['g s', 'Sources'],
    ],
  },
  {
    title: 'On a board',
    keys: [
      ['l', 'Live or pause'],
      ['t', 'Time range'],
      ['0 – 7', 'Quick ranges, last 10 seconds to last 7 days'],
      ['e', 'Edit'],
      ['v', 'Close the full view'],
    ],
  },
  {
    title: 'On a chart',
    keys: [
      ['← →', 'Read samples'],
      ['↑ ↓', 'Other series'],
      ['Page Up, Page Down', '50 samples'],
      ['Home, End', 'First, last'],
    ],
  },
  {
    title: 'While editing',
    keys: [
      [`${modifier}Z, Shift ${modifier}Z`, 'Undo, redo'],
      [`${modifier}S`, 'Save'],
      ['Enter on a grip', 'Grab; arrows move, Shift and arrows resize, Enter drops, Esc restores'],
    ],
  },
];
