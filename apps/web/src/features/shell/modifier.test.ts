import { describe, expect, it } from 'vitest';
import { modifierOf } from './modifier.ts';

describe('the modifier key', () => {
  it('is ⌘ on the machines that have it and Ctrl elsewhere', () => {
    expect(['MacIntel', 'iPhone', 'iPad'].map((name) => `${modifierOf(name)}K`)).toEqual(['⌘K', '⌘K', '⌘K']);
    expect(['Win32', 'Linux x86_64', 'Android', ''].map((name) => `${modifierOf(name)}K`)).toEqual([
      'Ctrl K',
      'Ctrl K',
      'Ctrl K',
      'Ctrl K',
    ]);
  });
});
