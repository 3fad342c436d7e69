/**
 * Figures along an axis. Read one by one (`formatValue`) they lie: from 1.2400 G to 1.2401 G every tick would say
 * `1.24 G`, and an axis in milliseconds would begin with `0 s`. So all ticks of an axis share a prefix, taken from the
 * largest of them, and as many decimals as their distance needs, no more.
 */
import { fixed, iecPrefixes, moneyPrefixes, siPrefixes, type UnitName } from './format.ts';

interface Scale {
  /** One of the unit, in units of the values. */
  size: number;
  sign: string;
  name: string;
}

const nbsp = '\u00a0';
const plain: Scale = { size: 1, sign: '', name: '' };

function prefixed(largest: number, base: number, prefixes: readonly string[], unit: string): Scale {
  let power = 0;
  while (largest / base ** power >= base && power < prefixes.length - 1) power += 1;
  return { size: base ** power, sign: '', name: `${prefixes[power]}${unit}` };
}

const durations: readonly (readonly [below: number, size: number, name: string])[] = [
  [1e-3, 1e-6, 'µs'],
  [1, 1e-3, 'ms'],
  [120, 1, 's'],
  [7200, 60, 'min'],
  [172_800, 3600, 'h'],
  [Number.POSITIVE_INFINITY, 86_400, 'd'],
];

/** `perSecond`: how many of the values' unit are a second. */
function duration(largest: number, perSecond: number): Scale {
  const [, size, name] = durations.find(([below]) => largest / perSecond < below)!;
  return { size: size * perSecond, sign: '', name };
}

function money(largest: number, sign: string): Scale {
  if (largest < 1e6) return { ...plain, sign };
  return { ...prefixed(largest, 1000, moneyPrefixes, ''), sign };
}

function scaleOf(unit: UnitName, largest: number): Scale {
  switch (unit) {
    case 'percent':
      return { ...plain, name: '%' };
    case 'ratio':
      return { size: 0.01, sign: '', name: '%' };
    case 'bytes':
      return prefixed(largest, 1024, iecPrefixes, 'B');
    case 'bytes_per_second':
      return prefixed(largest, 1024, iecPrefixes, 'B/s');
    case 'bits_per_second':
      return prefixed(largest, 1000, siPrefixes, 'bit/s');
    case 'per_second':
      return prefixed(largest, 1000, siPrefixes, '/s');
    case 'hertz':
      return prefixed(largest, 1000, siPrefixes, 'Hz');
    case 'seconds':
      return duration(largest, 1);
    case 'milliseconds':
      return duration(largest, 1000);
    case 'celsius':
      return { ...plain, name: '°C' };
    case 'eur':
      return money(largest, '€');
    case 'usd':
      return money(largest, '$');
    default:
      return largest < 1e5 ? plain : prefixed(largest, 1000, siPrefixes, '');
  }
}

const mostDecimals = 6;

/** Decimals that print `step` exactly; NaN where that takes more than an axis has room for. */
function decimalsFor(step: number): number {
  for (let decimals = 0; decimals <= mostDecimals; decimals++) {
    const whole = Math.round(step * 10 ** decimals);
    if (whole >= 1 && Math.abs(step * 10 ** decimals - whole) < whole * 1e-6) return decimals;
  }
  return Number.NaN;
}

/** `1.25e-7`, with the digits that tell neighbours `step` apart. */
function powerOfTen(value: number, step: number): string {
  const digits = Math.floor(Math.log10(value)) - Math.floor(Math.log10(step));
  return value.toExponential(Math.min(12, Math.max(0, digits))).replace('e+', 'e');
}

/** Labels of ticks that are `step` apart. */
export function tickLabels(values: readonly number[], step: number, unit: UnitName): string[] {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = scaleOf(unit, largest);
  const needed = decimalsFor(step / scale.size);
  const tooLong = Number.isNaN(needed) || largest / scale.size >= 1e9;
  // Money has no tenths: €0.50, never €0.5.
  const decimals = scale.sign !== '' && scale.size === 1 && needed === 1 ? 2 : needed;
  const gap = scale.name === '' || scale.sign !== '' ? '' : nbsp;
  const figure = (size: number): string =>
    tooLong ? powerOfTen(size, step / scale.size) : fixed(size, decimals);
  return values.map((value) => {
    // Ticks are multiples of the step, give or take the last bit.
    if (Math.abs(value) < step * 1e-6) return `${scale.sign}0${gap}${scale.name}`;
    return `${value < 0 ? '−' : ''}${scale.sign}${figure(Math.abs(value) / scale.size)}${gap}${scale.name}`;
  });
}
