import { useSyncExternalStore } from 'react';
import type { Preferences } from '@nowcast/contract';
import { setLocale } from '../units/locale.ts';

/**
 * Theme and density live on <html>: CSS follows by itself, canvases ask `useTheme`. The choice is kept in the
 * browser too, so that the first paint after a reload is already right.
 */
export type ThemeChoice = Preferences['theme'];

const storageKey = 'nowcast.theme';
const listeners = new Set<() => void>();
const systemLight = matchMedia('(prefers-color-scheme: light)');

function announce(): void {
  for (const listener of listeners) listener();
}

systemLight.addEventListener('change', announce);

function resolved(): 'dark' | 'light' {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return systemLight.matches ? 'light' : 'dark';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme in effect. */
export function useTheme(): 'dark' | 'light' {
  return useSyncExternalStore(subscribe, resolved);
}

export function applyTheme(choice: ThemeChoice): void {
  const root = document.documentElement;
  if (choice === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = choice;
  try {
    if (choice === 'system') localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, choice);
  } catch {
    // Storage may be blocked: the choice then lasts as long as the page.
  }
  announce();
}

export function applyPreferences(preferences: Preferences): void {
  const root = document.documentElement;
  root.dataset['density'] = preferences.density;
  setLocale(preferences);
  if (preferences.reduced_motion) root.dataset['reducedMotion'] = 'true';
  else delete root.dataset['reducedMotion'];
  if ((root.dataset['theme'] ?? 'system') !== preferences.theme) applyTheme(preferences.theme);
}
