import type { SeriesIndex } from '@nowcast/head';

/** Series of a query: `units[i]` of the grid takes what series `handles[i]` has. */
export interface Selection {
  tenant: string;
  metric: string;
  handles: Uint32Array;
  units: Uint32Array;
}

export function subset(selection: Selection, keep: (i: number) => boolean): Selection {
  const kept = Uint32Array.from(selection.handles.keys()).filter(keep);
  return {
    ...selection,
    handles: kept.map((i) => selection.handles[i]!),
    units: kept.map((i) => selection.units[i]!),
  };
}

/** The selection in ascending order of stable ids, which is how the warehouse wants it. */
export function byStableId(
  selection: Selection,
  index: SeriesIndex,
): { selection: Selection; ids: BigUint64Array } {
  const ids = BigUint64Array.from(selection.handles, (handle) => index.idOf(handle));
  const order = Uint32Array.from(ids.keys()).sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
  return {
    ids: ids.sort(),
    selection: {
      ...selection,
      handles: order.map((i) => selection.handles[i]!),
      units: order.map((i) => selection.units[i]!),
    },
  };
}
