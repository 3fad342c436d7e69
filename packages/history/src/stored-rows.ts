import type { HotStore, Warehouse } from '@nowcast/ports';

/** Where the rows of flushes are read. */
export type StoredRows = Pick<Warehouse, 'readStates' | 'readPoints'>;

/**
 * The hot store where it is certain to hold all of a request, else the warehouse. Both answer for the same vector, so
 * the states and the points of one answer may come from different ones.
 */
export function hotFirst(hot: HotStore, warehouse: Warehouse): StoredRows {
  return {
    readStates: async (request) => (await hot.readStates(request)) ?? warehouse.readStates(request),
    readPoints: async (request) => (await hot.readPoints(request)) ?? warehouse.readPoints(request),
  };
}
