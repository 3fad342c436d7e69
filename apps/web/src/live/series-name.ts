import { otherLabelValue, type SeriesLabels } from '@nowcast/contract';
import type { StoredSeries } from './stored-series.ts';

export const slotCount = 8;
export const otherSlot = -1;

/** Values of the labels, joined; empty for a view that is not grouped. */
export function seriesName(labels: SeriesLabels): string {
  return Object.values(labels).join(' · ');
}

/** FNV-1a, 32 bits: the same name gets the same colour on every board and after every reload. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}

/**
 * Gives every series a colour slot: that of its name's hash, or the next free one, so that up to eight lines of a
 * panel never share a colour. Later ones take slots 8 and up: the same colours, dashed. Sorted by name.
 */
export function assignSlots(series: StoredSeries[]): StoredSeries[] {
  series.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const used = new Set<number>();
  for (const one of series) {
    if (Object.values(one.labels).every((value) => value === otherLabelValue) && one.name !== '') {
      one.slot = otherSlot;
      continue;
    }
    const round = Math.floor(used.size / slotCount) * slotCount;
    let slot = one.name === '' ? 0 : hash(one.name) % slotCount;
    while (used.has(round + slot)) slot = (slot + 1) % slotCount;
    one.slot = round + slot;
    used.add(one.slot);
  }
  return series;
}

/**
 * How many groups have a line of their own while the rest is added up in "Other"; null: nothing was cut. A label may
 * well have the value "Other", so the text proves nothing: the server sends one line more than `limit` if, and only if,
 * there are more groups (docs/protocol.md, "snapshot").
 */
export function linesBesideOther(
  series: readonly Pick<StoredSeries, 'key' | 'slot'>[],
  limit: number | undefined,
): number | null {
  const own = series.filter(({ key }) => key < firstComparedKey);
  if (limit === undefined || own.length <= limit) return null;
  return own.some(({ slot }) => slot === otherSlot) ? own.length - 1 : null;
}

/** Keys of series of an earlier time, which stand beside those of the view; the server counts its own from 0. */
export const firstComparedKey = 2 ** 30;
