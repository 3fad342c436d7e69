/**
 * Decimal text to double, from bytes, exactly as `Number(text)` would give it.
 *
 * `Number` needs a string: 150 ns and garbage for each value. Most values have at most nine digits; then mantissa and
 * power of ten are both exact doubles and one division rounds once, which is correct (Clinger, "How to read floating
 * point numbers accurately", 1990). Telegraf and JavaScript print 16 or 17 digits. For these the quotient is computed
 * in double-double arithmetic (Dekker, 1971), and accepted only if an error bound of 2^-50 of the correction cannot
 * change the rounding (Ziv's test). The rest, about one in 10^9, and every unusual form answer −1: the caller takes
 * the text to `Number`.
 */
const powersOfTen = new Float64Array(23);
for (let i = 0; i < 23; i++) powersOfTen[i] = Number(`1e${i}`);

/** Ascii digits are those bytes that differ from '0' by less than ten; a missing byte (undefined) is not. */
const zero = 48;
const minus = 45;
/** '.' ^ '0' */
const dotDigit = 30;
const shortDigits = 9;
const longDigits = 19;

/**
 * Reads `-?(0|[1-9]\d*)(\.\d+)?` at `at` and stores it in `values[row]`. Returns the place after it, or −1 when the
 * text does not begin so or cannot be converted exactly here. What follows the number is the caller's to judge.
 */
export function scanDecimal(bytes: Uint8Array, at: number, values: Float64Array, row: number): number {
  const negative = bytes[at] === minus;
  const start = negative ? at + 1 : at;
  let place = start;
  let digit = bytes[place]! ^ zero;
  if (digit >= 10) return -1;
  let mantissa = digit;
  digit = bytes[++place]! ^ zero;
  if (mantissa === 0 && digit < 10) return -1;
  const limit = start + shortDigits;
  while (digit < 10) {
    if (place === limit) return scanLong(bytes, start, negative, values, row);
    mantissa = (Math.imul(mantissa, 10) + digit) | 0;
    digit = bytes[++place]! ^ zero;
  }
  let value = mantissa;
  if (digit === dotDigit) {
    const dot = place;
    digit = bytes[++place]! ^ zero;
    if (digit >= 10) return -1;
    while (digit < 10) {
      if (place > limit) return scanLong(bytes, start, negative, values, row);
      mantissa = (Math.imul(mantissa, 10) + digit) | 0;
      digit = bytes[++place]! ^ zero;
    }
    value = mantissa / powersOfTen[place - dot - 1]!;
  }
  values[row] = negative ? -value : value;
  return place;
}

/** More than nine digits: the first fifteen significant ones and up to four more. */
function scanLong(
  bytes: Uint8Array,
  start: number,
  negative: boolean,
  values: Float64Array,
  row: number,
): number {
  let head = 0;
  let rest = 0;
  let restScale = 1;
  let significant = 0;
  let fraction = 0;
  let dot = false;
  let place = start;
  for (; ; place++) {
    const digit = bytes[place]! ^ zero;
    if (digit < 10) {
      if (significant > 0 || digit !== 0) significant++;
      if (significant <= 15) head = head * 10 + digit;
      else {
        rest = rest * 10 + digit;
        restScale *= 10;
      }
      if (dot) fraction++;
    } else if (digit === dotDigit && !dot) dot = true;
    else break;
  }
  if (significant > longDigits || fraction > 22 || (dot && fraction === 0)) return -1;
  const value = significant <= 15 ? head / powersOfTen[fraction]! : quotient(head, restScale, rest, fraction);
  if (Number.isNaN(value)) return -1;
  values[row] = negative ? -value : value;
  return place;
}

/** (head · scale + rest) ÷ 10^fraction correctly rounded, or NaN where that cannot be told. */
function quotient(head: number, scale: number, rest: number, fraction: number): number {
  // high + low is the mantissa exactly: head < 10^15 and scale ≤ 10^4.
  const product = head * scale;
  const productError = multiplyError(head, scale, product);
  const tail = productError + rest;
  const high = product + tail;
  const low = tail - (high - product);
  const divisor = powersOfTen[fraction]!;
  const first = high / divisor;
  const back = first * divisor;
  // The remainder of a rounded division is a double, so this subtraction is exact.
  const remainder = high - back - multiplyError(first, divisor, back);
  const correction = (remainder + low) / divisor;
  const slack = Math.abs(correction) * 2 ** -50;
  const up = first + (correction + slack);
  const down = first + (correction - slack);
  return up === down ? up : Number.NaN;
}

/** a · b − product, exactly, for products of moderate size. */
function multiplyError(a: number, b: number, product: number): number {
  const aSplit = a * 134217729;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * 134217729;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** Four digits at `at` as a number, or −1. Reads four bytes, which must lie inside the view. */
export function fourDigits(view: DataView, at: number): number {
  const word = view.getInt32(at, true);
  if ((word & 0xf0f0f0f0) !== 0x30303030 || ((word + 0x06060606) & 0xf0f0f0f0) !== 0x30303030) return -1;
  const digits = word & 0x0f0f0f0f;
  const pairs = Math.imul(digits, 10) + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}
