/** One point on its way into a page of records. */
export interface RecordPoint {
  handle: number;
  timestamp: number;
  value: number;
  receivedAt: number;
  dataId: string | undefined;
  actor: string | undefined;
  message: string | undefined;
}

/** How many points from the page's end of a range on. */
export interface PageWanted {
  limit: number;
  order: 'asc' | 'desc';
}

/** Points from the page's beginning on, the last time among them complete. */
export interface PageSource {
  rows: RecordPoint[];
  /** That last time, when there may be more points beyond it; undefined: these are all. */
  edge: number | undefined;
}
