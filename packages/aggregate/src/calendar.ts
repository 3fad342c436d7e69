/**
 * Days, weeks and months of a time zone without a date library: the browser and every Node must agree, and `Date`
 * knows only the zone of the machine. Local time comes from `Intl.DateTimeFormat`; the rest is integer arithmetic on
 * the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
 */
import { appError } from '@nowcast/contract';

const dayMs = 86_400_000;

/** Days since 1970-01-01 of a civil date; month 1 … 12. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Months since year 0 of the civil date with that day number. */
export function monthOfDays(days: number): number {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return year * 12 + month - 1;
}

/** First day of a month counted from year 0, as days since 1970-01-01. */
export function daysOfMonth(months: number): number {
  const year = Math.floor(months / 12);
  return daysFromCivil(year, months - year * 12 + 1, 1);
}

/** One IANA zone. Throws `query.invalid` for a name the runtime does not know. */
export class TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat | undefined;

  constructor(name: string) {
    this.name = name;
    this.#format = name === 'UTC' ? undefined : formatOf(name);
  }

  /** Local time minus UTC at an instant, ms. */
  offsetAt(instantMs: number): number {
    if (this.#format === undefined) return 0;
    // Sub-second parts play no role in an offset; the formatter would cut them the wrong way before 1970.
    const instant = Math.floor(instantMs / 1000) * 1000;
    const field = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(instant)) {
      if (type in field) field[type as keyof typeof field] = Number(value);
    }
    const days = daysFromCivil(field.year, field.month, field.day);
    return days * dayMs + field.hour * 3_600_000 + field.minute * 60_000 + field.second * 1000 - instant;
  }

  /** Day number of the local date at an instant. */
  localDay(instantMs: number): number {
    return Math.floor((instantMs + this.offsetAt(instantMs)) / dayMs);
  }

  /**
   * The instant at which a local day begins: midnight, or the first moment after it where a clock change skips
   * midnight, or the second midnight where the clock goes back from it to the day before.
   */
  startOfDay(day: number): number {
    const midnight = day * dayMs;
    const before = this.offsetAt(midnight - dayMs);
    const after = this.offsetAt(midnight + dayMs);
    const early = midnight - Math.max(before, after);
    if (early + this.offsetAt(early) >= midnight) return early;
    return midnight - Math.min(before, after);
  }
}

/** Formats by zone, since making one costs more than a query; the names a runtime knows are few hundred. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(name: string): Intl.DateTimeFormat {
  let format = formats.get(name);
  if (format === undefined) {
    // Names differ in case only, so strangers could spell one zone in a million ways.
    if (formats.size >= 1000) formats.clear();
    formats.set(name, (format = makeFormat(name)));
  }
  return format;
}

function makeFormat(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw appError(
      'query.invalid',
      `"${name}" is not a time zone; write an IANA name, for example Europe/Berlin`,
      {
        cause,
      },
    );
  }
}
