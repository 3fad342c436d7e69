/** Timestamps of line protocol in their units. */
export type Precision = 'ns' | 'us' | 'ms' | 's' | 'm' | 'h';

/** Milliseconds in one unit; what is finer than a millisecond is divided instead, which rounds once. */
const unitMs: Record<Precision, number> = {
  ns: 1 / 1e6,
  us: 1 / 1e3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const space = 32;
const zero = 48;
const nanosPerMs = 1_000_000;

/** Reads a timestamp that is exact as a double in its own unit, as epoch ms; the place after it, or −1 for others. */
export function scanShortTime(
  bytes: Uint8Array,
  at: number,
  end: number,
  precision: Precision,
  timestamps: Float64Array,
  row: number,
): number {
  let place = at;
  let units = 0;
  let digit = bytes[place]! ^ zero;
  while (digit < 10) {
    units = units * 10 + digit;
    digit = bytes[++place]! ^ zero;
  }
  if (place === at || units > Number.MAX_SAFE_INTEGER || (place < end && bytes[place]! > space)) return -1;
  timestamps[row] = inMs(units, precision);
  return place;
}

/** Epoch ms of a number of units that is exact as a double. */
function inMs(units: number, precision: Precision): number {
  return precision === 'us' ? units / 1000 : units * unitMs[precision];
}

/** Epoch ms of an integer as text. Nanoseconds keep their fraction of a millisecond. */
export function timestampOf(text: string, precision: Precision): number {
  if (precision !== 'ns') return inMs(Number(text), precision);
  const nanos = BigInt(text);
  const ms = nanos / BigInt(nanosPerMs);
  return Number(ms) + Number(nanos - ms * BigInt(nanosPerMs)) / nanosPerMs;
}
