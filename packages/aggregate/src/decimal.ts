/**
 * Most measured values are decimals of few digits, and a double hides that: 20.37 is 52 random-looking bits, 2037 and
 * "two decimals" are eleven. Values are stored as integers only where `integer / 10^exponent` gives back the very same
 * double; the division of two exactly representable numbers is correctly rounded, here and in the engine alike.
 */
const maxExponent = 12;
export const powersOfTen: Float64Array = Float64Array.from({ length: maxExponent + 1 }, (_, e) => 10 ** e);

/** Adding and subtracting 1.5 · 2^52 rounds to the nearest integer as long as the number is below 2^51. */
const rounder = 6_755_399_441_055_744;
const limit = 2 ** 51;

/**
 * Smallest exponent at which every value of `[start, end)` is a scaled integer, or −1 when there is none. Writes the
 * integers to `out[0 … end − start)`. A value that fits one exponent fits the larger ones too (as long as it stays
 * below 2^51), so one pass upwards finds the exponent and a second one makes the integers.
 */
export function scaleToIntegers(values: Float64Array, start: number, end: number, out: Float64Array): number {
  let exponent = 0;
  // Values before it were seen to fit a smaller exponent only.
  let raisedAt = start;
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    while (!fits(value, powersOfTen[exponent]!)) {
      if (++exponent > maxExponent) return -1;
      raisedAt = i;
    }
  }
  const scale = powersOfTen[exponent]!;
  for (let i = start; i < raisedAt; i++) if (!fits(values[i]!, scale)) return -1;
  for (let i = start; i < end; i++) out[i - start] = values[i]! * scale + rounder - rounder;
  return exponent;
}

function fits(value: number, scale: number): boolean {
  const scaled = value * scale;
  if (!(scaled < limit && scaled > -limit)) return false;
  const integer = scaled + rounder - rounder;
  // Minus zero is a value of its own and no integer has it.
  return integer / scale === value && (integer !== 0 || Object.is(value, 0));
}
