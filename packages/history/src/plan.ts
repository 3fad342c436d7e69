import { fineResolutions, sketchResolutions } from './resolutions.ts';

/** What one query reads of the warehouse. */
export interface Plan {
  /** Fine states (or sketches) whose resolution divides every bucket; none: everything comes from points. */
  resolutions: readonly number[];
  /** Resolutions whose points must be read one by one, because their states would straddle a bucket's border. */
  statedAt: readonly number[];
  bySketch: boolean;
  /** Every resolution divides the buckets, so derived states of sealed periods may stand in. */
  coarse: boolean;
}

/**
 * Chooses the states that answer exactly. A state counts its points at its own start, so it may be used when no
 * bucket border lies inside it: its resolution must divide all borders. The points of the other resolutions are read
 * from chunks; each chunk row says at which resolution its points were stated, so none is counted twice.
 *
 * `borders`: bucket starts and the exclusive end, epoch ms. Calendar borders lie on whole hours in most zones, and on
 * quarters of an hour in the rest, so 1 h states are not always usable there.
 */
export function planQuery(borders: Float64Array, bySketch: boolean): Plan {
  const all: readonly number[] = bySketch ? sketchResolutions : fineResolutions;
  const resolutions = all.filter((res) => borders.every((border) => border % res === 0));
  return {
    resolutions,
    statedAt: all.filter((res) => !resolutions.includes(res)),
    bySketch,
    coarse: resolutions.length === all.length,
  };
}
