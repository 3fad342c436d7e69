import { useEffect, useState } from 'react';
import { chime, mayChime } from './chime.ts';

export type SoundState = 'off' | 'on' | 'blocked';
export interface Sound {
  state: SoundState;
  setOn: (on: boolean) => void;
}

const storageKey = 'nowcast.wallboard-sound';

/** The sound of wallboards: off until somebody at this screen switches it on; kept for this browser. */
export function useSound(): Sound {
  const [wanted, setWanted] = useState(() => localStorage.getItem(storageKey) === 'on');
  const [allowed, setAllowed] = useState(false);
  useEffect(() => {
    if (!wanted || allowed) return undefined;
    let current = true;
    const ask = (): void => void mayChime().then((may) => current && setAllowed(may));
    ask();
    const events = ['pointerdown', 'keydown'] as const;
    for (const event of events) addEventListener(event, ask);
    return () => {
      current = false;
      for (const event of events) removeEventListener(event, ask);
    };
  }, [wanted, allowed]);
  const state = wanted ? (allowed ? 'on' : 'blocked') : 'off';
  const tryOut = async (): Promise<void> => {
    const may = await mayChime();
    setAllowed(may);
    if (may) chime();
  };
  const setOn = (on: boolean): void => {
    setWanted(on);
    if (!on) {
      localStorage.removeItem(storageKey);
      return;
    }
    localStorage.setItem(storageKey, 'on');
    // Heard at once: who switches it on knows how loud it is.
    void tryOut();
  };
  return { state, setOn };
}
