import type {
  HotStore,
  PointColumns,
  PointsRequest,
  StateColumns,
  StatesRequest,
  Warehouse,
} from '@nowcast/ports';

/** Where the rows of flushes are read. */
export type StoredRows = Pick<Warehouse, 'readStates' | 'readPoints'>;

/** The same with a word to the caller when memory did not hold it. */
export interface LayeredRows {
  readStates(request: StatesRequest, onMissing: () => void): Promise<StateColumns>;
  readPoints(request: PointsRequest, onMissing: () => void): Promise<PointColumns>;
}

/**
 * The hot store where it is certain to hold all of a request, else the warehouse. Both answer for the same vector, so
 * the states and the points of one answer may come from different ones.
 */
export function hotFirst(hot: HotStore, warehouse: StoredRows): LayeredRows {
  return {
    readStates: async (request, onMissing) => {
      const held = await hot.readStates(request);
      if (held !== undefined) return held;
      onMissing();
      return warehouse.readStates(request);
    },
    readPoints: async (request, onMissing) => {
      const held = await hot.readPoints(request);
      if (held !== undefined) return held;
      onMissing();
      return warehouse.readPoints(request);
    },
  };
}
