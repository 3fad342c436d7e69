import type { Panel } from '@nowcast/contract';
import { formatCache } from './locale.ts';

/** Values as people read them. A no-break space stands before every unit; null is an en dash. */
export type UnitName = Panel['display']['unit'];

export const unitTitles: Record<UnitName, string> = {
  none: 'Number',
  count: 'Count',
  percent: 'Percent (0–100)',
  ratio: 'Ratio (0–1 as %)',
  bytes: 'Bytes',
  bytes_per_second: 'Bytes per second',
  bits_per_second: 'Bits per second',
  seconds: 'Seconds',
  milliseconds: 'Milliseconds',
  per_second: 'Per second',
  celsius: 'Degrees Celsius',
  hertz: 'Hertz',
  eur: 'Euro',
  usd: 'US dollar',
};

const nbsp = '\u00a0';
export const siPrefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
export const iecPrefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** Nobody says giga-euros. */
export const moneyPrefixes = ['', 'K', 'M', 'B', 'T'];

const numberFormat = formatCache(
  (id: string, { numbers }) => new Intl.NumberFormat(numbers, JSON.parse(id) as Intl.NumberFormatOptions),
);
/** What is rounded to zero has no sign: nobody reads "-0". */
const signDisplay = 'negative';
const fixedDecimals = Array.from({ length: 21 }, (_, decimals) =>
  JSON.stringify({ minimumFractionDigits: decimals, maximumFractionDigits: decimals, signDisplay }),
);
const mostDecimals = Array.from({ length: 21 }, (_, decimals) =>
  JSON.stringify({ maximumFractionDigits: decimals, signDisplay }),
);

/** With so many decimals, no fewer, and thousands grouped. */
export function fixed(value: number, decimals: number): string {
  return numberFormat(fixedDecimals[decimals]!).format(value);
}

/** Whole numbers of things: rows, points. */
export function formatCount(value: number): string {
  return fixed(value, 0);
}

/** Three significant digits: 0.123, 1.23, 12.3, 123. */
function digitsFor(magnitude: number): number {
  if (magnitude === 0 || magnitude >= 100) return 0;
  if (magnitude >= 10) return 1;
  if (magnitude >= 1) return 2;
  return Math.min(6, 2 - Math.floor(Math.log10(magnitude)));
}

/** From here on, and below, digits say less than the power of ten: `1.7e308`, `1e-8`. */
const exponentFrom = 1e15;
const exponentBelow = 1e-4;

function exponent(value: number): string {
  return value.toExponential(2).replace(/\.?0*e\+?/, 'e');
}

function trimmed(value: number, decimals: number | undefined): string {
  if (Math.abs(value) >= exponentFrom) return exponent(value);
  if (decimals !== undefined) return fixed(value, decimals);
  if (value !== 0 && Math.abs(value) < exponentBelow) return exponent(value);
  return numberFormat(mostDecimals[digitsFor(Math.abs(value))]!).format(value);
}

function scaled(
  value: number,
  base: number,
  prefixes: string[],
  unit: string,
  decimals: number | undefined,
): string {
  let power = 0;
  let rest = value;
  while (Math.abs(rest) >= base * 0.9995 && power < prefixes.length - 1) {
    rest /= base;
    power += 1;
  }
  if (Math.abs(rest) >= base * 0.9995)
    return unit === '' ? exponent(value) : `${exponent(value)}${nbsp}${unit}`;
  const name = `${prefixes[power]}${unit}`;
  const digits = power === 0 && decimals === undefined && Number.isInteger(rest) ? 0 : decimals;
  return name === '' ? trimmed(rest, digits) : `${trimmed(rest, digits)}${nbsp}${name}`;
}

function duration(seconds: number, decimals: number | undefined): string {
  const size = Math.abs(seconds);
  if (size === 0) return `0${nbsp}s`;
  if (size < 1e-3) return `${trimmed(seconds * 1e6, decimals)}${nbsp}µs`;
  if (size < 1) return `${trimmed(seconds * 1e3, decimals)}${nbsp}ms`;
  if (size < 120) return `${trimmed(seconds, decimals)}${nbsp}s`;
  if (size < 7200) return `${trimmed(seconds / 60, decimals)}${nbsp}min`;
  if (size < 172_800) return `${trimmed(seconds / 3600, decimals)}${nbsp}h`;
  return `${trimmed(seconds / 86_400, decimals)}${nbsp}d`;
}

/** The largest of numbers would become infinite when multiplied: they stay at the end of what can be printed. */
function boundedPercent(ratio: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, ratio * 100));
}

/** Without a sign; what is less than a cent keeps its digits. */
function amount(size: number, decimals: number | undefined): string {
  if (size >= 1e6) return scaled(size, 1000, moneyPrefixes, '', decimals ?? 2).replace(nbsp, '');
  if (decimals === undefined && size > 0 && size < 0.01) return trimmed(size, undefined);
  return fixed(size, decimals ?? (size >= 1000 ? 0 : 2));
}

function money(value: number, sign: string, decimals: number | undefined): string {
  const text = amount(Math.abs(value), decimals);
  const isNegative = value < 0 && text !== amount(0, decimals);
  return `${isNegative ? '−' : ''}${sign}${text}`;
}

export function formatValue(value: number | null | undefined, unit: UnitName, decimals?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  switch (unit) {
    case 'percent':
      return `${trimmed(value, decimals)}${nbsp}%`;
    case 'ratio':
      return `${trimmed(boundedPercent(value), decimals)}${nbsp}%`;
    case 'bytes':
      return scaled(value, 1024, iecPrefixes, 'B', decimals);
    case 'bytes_per_second':
      return scaled(value, 1024, iecPrefixes, 'B/s', decimals);
    case 'bits_per_second':
      return scaled(value, 1000, siPrefixes, 'bit/s', decimals);
    case 'seconds':
      return duration(value, decimals);
    case 'milliseconds':
      return value === 0 ? `0${nbsp}ms` : duration(value / 1000, decimals);
    case 'per_second':
      return scaled(value, 1000, siPrefixes, '/s', decimals);
    case 'celsius':
      return `${trimmed(value, decimals)}${nbsp}°C`;
    case 'hertz':
      return scaled(value, 1000, siPrefixes, 'Hz', decimals);
    case 'eur':
      return money(value, '€', decimals);
    case 'usd':
      return money(value, '$', decimals);
    case 'count':
      return Math.abs(value) < 1e6 ? trimmed(value, decimals) : scaled(value, 1000, siPrefixes, '', decimals);
    default:
      return Math.abs(value) < 1e5 ? trimmed(value, decimals) : scaled(value, 1000, siPrefixes, '', decimals);
  }
}
