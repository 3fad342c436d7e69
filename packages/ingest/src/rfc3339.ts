/**
 * RFC 3339 date-times to epoch milliseconds, from bytes. `Date.parse` accepts far more than the RFC, drops what is
 * finer than a millisecond, and needs a string; section 5.6 of the RFC is this short.
 */
const dayMs = 86_400_000;
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Epoch milliseconds (a fraction is kept) of the text in `[at, end)`, or NaN when it is not RFC 3339. */
export function parseRfc3339(bytes: Uint8Array, at: number, end: number): number {
  const length = end - at;
  if (length < 20 || length > 40) return Number.NaN;
  const year = digits(bytes, at, 4);
  const month = digits(bytes, at + 5, 2);
  const day = digits(bytes, at + 8, 2);
  const hour = digits(bytes, at + 11, 2);
  const minute = digits(bytes, at + 14, 2);
  const second = digits(bytes, at + 17, 2);
  const separator = bytes[at + 10]! | 0x20;
  const shaped =
    bytes[at + 4] === 0x2d &&
    bytes[at + 7] === 0x2d &&
    (separator === 0x74 || separator === 0x20) &&
    bytes[at + 13] === 0x3a &&
    bytes[at + 16] === 0x3a;
  if (!shaped || !isDate(year, month, day) || !(hour <= 23 && minute <= 59 && second <= 60))
    return Number.NaN;
  let place = at + 19;
  let fraction = 0;
  if (bytes[place] === 0x2e) {
    let scale = 100;
    for (place++; place < end && (bytes[place]! ^ 48) < 10; place++) {
      fraction += (bytes[place]! ^ 48) * scale;
      scale /= 10;
    }
    if (scale === 100) return Number.NaN;
  }
  const offsetMs = parseOffset(bytes, place, end);
  const dayStart = daysFromCivil(year, month, day) * dayMs;
  return dayStart + ((hour * 60 + minute) * 60 + second) * 1000 + roundFraction(fraction) - offsetMs;
}

/** Tenths added one by one carry noise; nanoseconds are the finest that senders write. */
function roundFraction(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}

/** `Z`, `+hh:mm` or `-hh:mm`, which must end the text; NaN otherwise. */
function parseOffset(bytes: Uint8Array, at: number, end: number): number {
  const sign = bytes[at]!;
  if ((sign | 0x20) === 0x7a && at + 1 === end) return 0;
  if ((sign !== 0x2b && sign !== 0x2d) || at + 6 !== end || bytes[at + 3] !== 0x3a) return Number.NaN;
  const hours = digits(bytes, at + 1, 2);
  const minutes = digits(bytes, at + 4, 2);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = bytes[i]! ^ 48;
    if (digit >= 10) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function isDate(year: number, month: number, day: number): boolean {
  if (!(month >= 1 && month <= 12 && day >= 1) || Number.isNaN(year)) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 && leap ? 29 : daysInMonth[month - 1]!);
}

/** Days since 1970-01-01 of a Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
