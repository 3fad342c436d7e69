import { limits } from '@nowcast/contract';
import { PointColumns } from './point-columns.ts';

/** Rows kept: of four large requests, or of two hundred and more small ones. */
const mostRows = 262_144;
/** Columns with more than these are let go of. */
const mostRowsEach = 65_536;
/** Of the last record, where those are more than its columns have room for: texts make it long. */
const bytesPerRow = 64;

/** Columns of requests that have their answer, for the next ones: what small requests cost is what is allocated for them. */
export class ColumnsPool {
  readonly #free: PointColumns[] = [];
  #rows = 0;

  take(): PointColumns {
    const columns = this.#free.pop();
    if (columns === undefined) return new PointColumns(limits.pointsPerRequest);
    this.#rows -= rowsOf(columns);
    return columns;
  }

  /** Nobody uses them any more. */
  give(columns: PointColumns): void {
    columns.clear();
    const rows = rowsOf(columns);
    if (rows > mostRowsEach || this.#rows + rows > mostRows) return;
    this.#free.push(columns);
    this.#rows += rows;
  }
}

function rowsOf({ capacity, encoded }: PointColumns): number {
  return Math.max(capacity, encoded.byteLength / bytesPerRow);
}
