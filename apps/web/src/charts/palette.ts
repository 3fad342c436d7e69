import { otherSlot, slotCount } from '../live/series-name.ts';

/** Colours of the current theme as canvas needs them: plain strings, read once a theme. */
export interface Palette {
  series: string[];
  text: string;
  muted: string;
  line: string;
  panel: string;
  accent: string;
  ok: string;
  warn: string;
  crit: string;
  nodata: string;
}

const palettes = new Map<string, Palette>();

/** The palette of the theme in effect; reading styles is too slow for every frame. */
export function paletteOf(theme: 'dark' | 'light'): Palette {
  let palette = palettes.get(theme);
  if (palette === undefined) {
    palette = readPalette();
    palettes.set(theme, palette);
  }
  return palette;
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    series: Array.from({ length: slotCount }, (_, i) => read(`series-${i + 1}`)),
    text: read('text'),
    muted: read('muted'),
    line: read('line'),
    panel: read('panel'),
    accent: read('accent'),
    ok: read('ok'),
    warn: read('warn'),
    crit: read('crit'),
    nodata: read('nodata'),
  };
}

export function slotColour(palette: Palette, slot: number): string {
  return slot === otherSlot ? palette.nodata : palette.series[slot % slotCount]!;
}

/** After eight series the colours repeat, dashed. */
export function slotDash(slot: number): number[] | undefined {
  if (slot < slotCount) return undefined;
  return slot < slotCount * 2 ? [8, 4] : [2, 3];
}

/** The CSS colour of a slot, for markup that follows the theme by itself. */
export function slotCss(slot: number): string {
  return slot === otherSlot ? 'var(--nodata)' : `var(--series-${(slot % slotCount) + 1})`;
}

/** `#rrggbb` or `#rgb` with an opacity. */
export function withAlpha(colour: string, alpha: number): string {
  const hex = colour.length === 4 ? colour.slice(1).replace(/./g, '$&$&') : colour.slice(1);
  const channel = (at: number): number => Number.parseInt(hex.slice(at, at + 2), 16);
  return `rgb(${channel(0)} ${channel(2)} ${channel(4)} / ${alpha})`;
}
