import { describe, expect, it } from 'vitest';
import { formatValue } from '../units/format.ts';
import { formatTick, valueSteps } from './axes.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('ticks', () => {
  it('never print the same figure twice, whatever the decimals', () => {
    for (const unit of ['none', 'count', 'percent', 'ratio', 'per_second', 'eur'] as const) {
      for (const decimals of [0, 1, 2]) {
        const finest = valueSteps({ unit, decimals })[0]!;
        const printed = [0, 1, 2, 3].map((n) => formatValue(n * finest, unit, decimals));
        expect(new Set(printed).size, `${unit} with ${decimals} decimals: ${printed.join(', ')}`).toBe(4);
      }
    }
  });

  it('fall on figures that people would choose', () => {
    const read = (unit: 'bytes' | 'seconds' | 'milliseconds', from: number): string[] =>
      valueSteps({ unit })
        .filter((step) => step >= from)
        .slice(0, 3)
        .map((step) => plain(formatValue(step, unit)));
    expect(read('bytes', 2 ** 31)).toEqual(['2 GiB', '4 GiB', '8 GiB']);
    expect(read('seconds', 100)).toEqual(['2 min', '5 min', '10 min']);
    expect(read('milliseconds', 200)).toEqual(['200 ms', '500 ms', '1 s']);
  });

  it('are there for every size of value', () => {
    for (const unit of ['none', 'bytes', 'seconds', 'milliseconds', 'celsius'] as const) {
      const steps = valueSteps({ unit });
      expect(steps.at(-1), unit).toBeGreaterThan(1e300);
      expect(
        steps.every((step, i) => Number.isFinite(step) && step > (steps[i - 1] ?? 0)),
        unit,
      ).toBe(true);
    }
  });

  it('name days at midnight and seconds only when zoomed in', () => {
    const noon = Date.UTC(2026, 10, 23, 12, 0, 30);
    const midnight = Date.UTC(2026, 10, 23);
    expect(formatTick(noon, 1000, 'UTC')).toBe('12:00:30');
    expect(formatTick(noon, 60_000, 'UTC')).toBe('12:00');
    expect(formatTick(midnight, 3_600_000, 'UTC')).toMatch(/^23 Nov/);
    expect(formatTick(noon, 500, 'UTC')).toBe('12:00:30.000');
  });
});
