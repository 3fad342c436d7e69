const number = new Float64Array(1);
const bits = new BigInt64Array(number.buffer);

/** The smallest double above a time that is not negative: the exclusive end of a range that holds it and nothing later. */
export function nextUp(timestamp: number): number {
  number[0] = timestamp;
  bits[0]! += 1n;
  return number[0];
}
