import type { UnitName } from './board.ts';

/** Values in sentences and messages: three to four significant digits with their unit. English, the same everywhere. */
const si = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const iec = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Three to four significant digits with the unit, as the page shows it: `92.3 %`, `1.5 MiB`, `120 ms`. */
export function valueText(value: number | undefined, unit: UnitName): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  switch (unit) {
    case 'percent':
      return `${digits(value)} %`;
    case 'ratio':
      return `${digits(value * 100)} %`;
    case 'bytes':
      return scaled(value, 1024, iec, 'B');
    case 'bytes_per_second':
      return scaled(value, 1024, iec, 'B/s');
    case 'bits_per_second':
      return scaled(value, 1000, si, 'bit/s');
    case 'per_second':
      return scaled(value, 1000, si, '/s');
    case 'hertz':
      return scaled(value, 1000, si, 'Hz');
    case 'seconds':
      return duration(value);
    case 'milliseconds':
      return duration(value / 1000);
    case 'celsius':
      return `${digits(value)} °C`;
    case 'eur':
      return `${value < 0 ? '-' : ''}€${money(Math.abs(value))}`;
    case 'usd':
      return `${value < 0 ? '-' : ''}$${money(Math.abs(value))}`;
    default:
      return scaled(value, 1000, si, '');
  }
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return value.toExponential(2);
  const decimals = size === 0 || size >= 100 ? 0 : Math.min(8, 2 - Math.floor(Math.log10(size)));
  return String(Number(value.toFixed(decimals)));
}

function scaled(value: number, base: number, prefixes: readonly string[], unit: string): string {
  let rest = value;
  let power = 0;
  while (Math.abs(rest) >= base * 0.9995 && power < prefixes.length - 1) {
    rest /= base;
    power++;
  }
  const name = `${prefixes[power]}${unit}`;
  return name === '' ? digits(rest) : `${digits(rest)} ${name}`;
}

function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${digits(seconds * 1e6)} µs`;
  if (size < 1) return `${digits(seconds * 1e3)} ms`;
  if (size < 120) return `${digits(seconds)} s`;
  if (size < 7200) return `${digits(seconds / 60)} min`;
  if (size < 172_800) return `${digits(seconds / 3600)} h`;
  return `${digits(seconds / 86_400)} d`;
}

function money(value: number): string {
  return value >= 1000
    ? scaled(value, 1000, ['', 'K', 'M', 'B', 'T'], '').replace(' ', '')
    : value.toFixed(2);
}
