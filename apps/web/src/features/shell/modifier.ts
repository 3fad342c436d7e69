/** Name of the key that goes with letters: ⌘ on Apple's machines, Ctrl elsewhere. Both work everywhere. */
export function modifierOf(platform: string): '⌘' | 'Ctrl ' {
  return /mac|iphone|ipad|ipod/i.test(platform) ? '⌘' : 'Ctrl ';
}

export const modifier = modifierOf(navigator.platform);
