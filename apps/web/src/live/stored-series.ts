import type { SeriesLabels } from '@nowcast/contract';

/** One line of a view, as the charts read it. */
export interface StoredSeries {
  key: number;
  labels: SeriesLabels;
  name: string;
  /** Colour slot 0–7, then dash patterns; -1 is "Other". */
  slot: number;
  /** Bucket starts, ascending, and one value each. */
  t: number[];
  v: (number | null)[];
  /** What `v` is worked out from where a value depends on its neighbours; as long as `v`. */
  growths?: (number | null)[];
}
