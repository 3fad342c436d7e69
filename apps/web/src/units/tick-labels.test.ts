import { describe, expect, it } from 'vitest';
import { unitTitles, type UnitName } from './format.ts';
import { tickLabels } from './tick-labels.ts';

const labels = (values: number[], step: number, unit: UnitName): string[] =>
  tickLabels(values, step, unit).map((text) => text.replaceAll('\u00a0', ' '));

describe('labels of an axis', () => {
  it('share the unit of the largest', () => {
    expect(labels([0, 100, 200, 1000], 100, 'milliseconds')).toEqual(['0 s', '0.1 s', '0.2 s', '1.0 s']);
    expect(labels([0, 200, 400], 200, 'milliseconds')).toEqual(['0 ms', '200 ms', '400 ms']);
    expect(labels([0, 512 * 2 ** 20, 2 ** 30], 512 * 2 ** 20, 'bytes')).toEqual([
      '0 GiB',
      '0.5 GiB',
      '1.0 GiB',
    ]);
    expect(labels([0, 50_000, 100_000], 50_000, 'none')).toEqual(['0 k', '50 k', '100 k']);
    expect(labels([0, 0.005, 0.01], 0.005, 'ratio')).toEqual(['0 %', '0.5 %', '1.0 %']);
  });

  it('have the decimals that their distance needs, and no more', () => {
    expect(labels([0, 20, 40], 20, 'percent')).toEqual(['0 %', '20 %', '40 %']);
    expect(labels([0, 200, 400], 200, 'eur')).toEqual(['€0', '€200', '€400']);
    expect(labels([0, 0.5, 1], 0.5, 'usd')).toEqual(['$0', '$0.50', '$1.00']);
    expect(labels([1.24e9, 1.2402e9, 1.2404e9], 200_000, 'usd')).toEqual([
      '$1.2400B',
      '$1.2402B',
      '$1.2404B',
    ]);
    expect(labels([-5, -2.5, 0], 2.5, 'celsius')).toEqual(['−5.0 °C', '−2.5 °C', '0 °C']);
  });

  it('are powers of ten where zeros would fill the axis', () => {
    expect(labels([2e-7, 3e-7], 1e-7, 'none')).toEqual(['2e-7', '3e-7']);
    expect(labels([1e300, 1.5e300], 5e299, 'none')[1]).toMatch(/^1\.5e/);
  });

  it('differ from each other and stay short, whatever the unit and the size', () => {
    for (const unit of Object.keys(unitTitles) as UnitName[]) {
      for (let power = -8; power <= 290; power += power < 20 ? 1 : 45) {
        for (const digit of [1, 2, 5]) {
          const step = Number(`${digit}e${power}`);
          for (const start of [0, 40, -3]) {
            const texts = labels(
              [0, 1, 2, 3, 4].map((n) => (start + n) * step),
              step,
              unit,
            );
            expect(new Set(texts).size, `${unit} from ${start} by ${step}: ${texts.join(' | ')}`).toBe(5);
            for (const text of texts) expect(text.length, `${unit}: ${text}`).toBeLessThan(18);
          }
        }
      }
    }
  });
});
