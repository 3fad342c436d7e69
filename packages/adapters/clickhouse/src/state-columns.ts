import type { StateRows } from '@nowcast/ports';
import { Int64Column } from './int64-column.ts';
import { powersOfTen, scaleToIntegers } from '@nowcast/aggregate';

/**
 * Packs fine state rows into the columns of the `states` table (schema.ts).
 *
 * Six doubles a row would cost 35 bytes a row after compression, more than the ten points it counts. So the numbers of
 * a row share one decimal scale and are kept as small differences: minimum and maximum from the first value, the last
 * from the first, the sum from n times the first. Where a row has no such scale, `scale` is 0 and every column holds
 * the bits of its double instead (state-sql.ts reads both). first, last, min and max come back bit for bit; sum and
 * growth, which are sums of rounded numbers anyway, may change in their last bits.
 */
export interface StateColumnsPacked {
  n: Uint32Array;
  scale: Float64Array;
  first: Int64Column;
  low: Int64Column;
  high: Int64Column;
  last: Int64Column;
  total: Int64Column;
  growth: Int64Column;
  /** Steps a millisecond of the two offsets, or 0 for bits of a double. */
  timeScale: Float64Array;
  firstIn: Int64Column;
  lastIn: Int64Column;
}

const limit = 2 ** 51;
export class StatePacker {
  readonly columns: StateColumnsPacked;
  readonly #rows: StateRows;
  readonly #four = new Float64Array(4);
  readonly #integers = new Float64Array(4);

  constructor(rows: StateRows) {
    this.#rows = rows;
    const n = rows.length;
    const wide = () => new Int64Column(n);
    this.columns = {
      n: new Uint32Array(n),
      scale: new Float64Array(n),
      first: wide(),
      low: wide(),
      high: wide(),
      last: wide(),
      total: wide(),
      growth: wide(),
      timeScale: new Float64Array(n),
      firstIn: wide(),
      lastIn: wide(),
    };
  }

  /** Packs rows `[start, end)`. */
  pack(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      this.columns.n[i] = this.#rows.count[i]!;
      if (!this.#packScaled(i)) this.#packBits(i);
      this.#packTimes(i);
    }
  }

  #packScaled(i: number): boolean {
    const { columns } = this;
    const rows = this.#rows;
    const four = this.#four;
    four[0] = rows.first[i]!;
    four[1] = rows.min[i]!;
    four[2] = rows.max[i]!;
    four[3] = rows.last[i]!;
    const exponent = scaleToIntegers(four, 0, 4, this.#integers);
    if (exponent < 0) return false;
    const scale = powersOfTen[exponent]!;
    const n = rows.count[i]!;
    const [first, min, max, last] = this.#integers as unknown as [number, number, number, number];
    const magnitude = Math.max(Math.abs(four[1]), Math.abs(four[2]));
    const tolerance = Math.min(n, 500) * magnitude * 1e-15;
    const sum = nearInteger(rows.sum[i]!, scale, tolerance);
    const growth = nearInteger(rows.growth[i]!, scale, tolerance);
    if (Number.isNaN(sum) || Number.isNaN(growth) || Math.abs(n * first) > limit) return false;
    columns.scale[i] = scale;
    columns.first.set(i, first);
    columns.low.set(i, first - min);
    columns.high.set(i, max - first);
    columns.last.set(i, last - first);
    columns.total.set(i, sum - n * first);
    columns.growth.set(i, growth);
    return true;
  }

  #packBits(i: number): void {
    const { columns } = this;
    const rows = this.#rows;
    columns.first.setBits(i, rows.first[i]!);
    columns.low.setBits(i, rows.min[i]!);
    columns.high.setBits(i, rows.max[i]!);
    columns.last.setBits(i, rows.last[i]!);
    columns.total.setBits(i, rows.sum[i]!);
    columns.growth.setBits(i, rows.growth[i]!);
  }

  #packTimes(i: number): void {
    const { columns } = this;
    const rows = this.#rows;
    const firstAt = rows.firstAt[i]!;
    const lastAt = rows.lastAt[i]!;
    const whole = firstAt === Math.floor(firstAt) && lastAt === Math.floor(lastAt);
    columns.timeScale[i] = whole ? 1 : 0;
    if (whole) {
      columns.firstIn.set(i, firstAt - rows.bucket[i]!);
      columns.lastIn.set(i, lastAt - rows.bucket[i]!);
    } else {
      columns.firstIn.setBits(i, firstAt);
      columns.lastIn.setBits(i, lastAt);
    }
  }
}

/**
 * The integer nearest to `value · scale`, when that is as good as `value` itself: a sum of n doubles is off by some
 * n · 2^-53 of their absolute sum anyway, which is at least their largest. NaN otherwise.
 */
function nearInteger(value: number, scale: number, tolerance: number): number {
  const scaled = value * scale;
  if (!(Math.abs(scaled) < limit)) return Number.NaN;
  const integer = Math.round(scaled);
  return Math.abs(integer / scale - value) <= tolerance ? integer : Number.NaN;
}
