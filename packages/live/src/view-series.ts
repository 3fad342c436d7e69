/** The series of one view, wherever they are listed. */
export interface ViewSeries {
  /** Those the view has room for, and the unit each goes to; copies that stay as they are. */
  selection(): SeriesSelection;
  /** How many series came when there was no room for them any more. */
  leftOut(): number;
}

/** `units[i]` is the unit of `handles[i]`. */
export interface SeriesSelection {
  handles: Uint32Array;
  units: Uint32Array;
}
