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
/** Digits beyond the first nine that are looked at. */
const moreDigits = 11;

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
    if (place === limit) return scanLong(bytes, place, -1, mantissa, negative, values, row);
    mantissa = (Math.imul(mantissa, 10) + digit) | 0;
    digit = bytes[++place]! ^ zero;
  }
  let value = mantissa;
  if (digit === dotDigit) {
    const dot = place;
    digit = bytes[++place]! ^ zero;
    if (digit >= 10) return -1;
    while (digit < 10) {
      if (place > limit) return scanLong(bytes, place, dot, mantissa, negative, values, row);
      mantissa = (Math.imul(mantissa, 10) + digit) | 0;
      digit = bytes[++place]! ^ zero;
    }
    value = mantissa / powersOfTen[place - dot - 1]!;
  }
  values[row] = negative ? -value : value;
  return place;
}

/** Goes on from the tenth digit at `from`; `head` is what the nine before it say, `dot` the place of the point or −1. */
function scanLong(
  bytes: Uint8Array,
  from: number,
  dot: number,
  head: number,
  negative: boolean,
  values: Float64Array,
  row: number,
): number {
  let place = from;
  let digits = 0;
  let rest = 0;
  let point = dot;
  for (;;) {
    const digit = bytes[place]! ^ zero;
    if (digit < 10) {
      if (digits === moreDigits) return -1;
      // Nine digits fit an integer; the two more that may come turn it into a double.
      rest = rest * 10 + digit;
      digits++;
    } else if (digit === dotDigit && point < 0) point = place;
    else break;
    place++;
  }
  const fraction = point < 0 ? 0 : place - point - 1;
  if (fraction > 22 || (point >= 0 && fraction === 0)) return -1;
  const value = quotient(head, powersOfTen[digits]!, rest, fraction);
  if (Number.isNaN(value)) return -1;
  values[row] = negative ? -value : value;
  return place;
}

/** (head · scale + rest) ÷ 10^fraction correctly rounded, or NaN where that cannot be told. */
function quotient(head: number, scale: number, rest: number, fraction: number): number {
  const divisor = powersOfTen[fraction]!;
  // high + low is the mantissa exactly: head < 10^9, scale ≤ 10^11 and rest < scale.
  const product = head * scale;
  if (product + rest <= Number.MAX_SAFE_INTEGER) return (product + rest) / divisor;
  const tail = multiplyError(head, scale, product) + rest;
  const high = product + tail;
  const low = tail - (high - product);
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

/** Whether digits before this byte are a whole number: neither more digits, a fraction nor an exponent. */
export function endsNumber(byte: number): boolean {
  return (byte ^ zero) >= 10 && byte !== 46 && (byte | 0x20) !== 0x65;
}

/**
 * Thirteen digits, a time in milliseconds between 2001 and 2286, into `values[row]`; the place after them, or −1.
 * Sixteen bytes must lie in the view.
 */
export function scanMillis(view: DataView, at: number, values: Float64Array, row: number): number {
  const a = fourDigits(view, at);
  const b = fourDigits(view, at + 4);
  const c = fourDigits(view, at + 8);
  const last = view.getUint8(at + 12) ^ zero;
  if ((a | b | c) < 0 || last >= 10 || !endsNumber(view.getUint8(at + 13))) return -1;
  values[row] = (a * 10_000 + b) * 100_000 + (c * 10 + last);
  return at + 13;
}

/** The same for nineteen digits of nanoseconds, kept as milliseconds and their fraction. Twenty bytes must lie in the view. */
export function scanNanos(view: DataView, at: number, values: Float64Array, row: number): number {
  const a = fourDigits(view, at);
  const b = fourDigits(view, at + 4);
  const c = fourDigits(view, at + 8);
  const d = fourDigits(view, at + 12);
  // Overlaps the four before it by one digit.
  const e = fourDigits(view, at + 15);
  if ((a | b | c | d | e) < 0 || (view.getUint8(at + 19) ^ zero) < 10) return -1;
  const thousands = (d / 1000) | 0;
  const nanos = (d - thousands * 1000) * 1000 + (e % 1000);
  const ms = (a * 10_000 + b) * 100_000 + (c * 10 + thousands);
  values[row] = nanos === 0 ? ms : ms + nanos / 1_000_000;
  return at + 19;
}
