import { describe, expect, it } from 'vitest';
import { thinned } from './alert-series.ts';

const span = { from: 0, to: 60_000 };

describe('the line of an alert', () => {
  it('keeps each peak and each trough of many values, in their order', () => {
    const timestamp = Array.from({ length: 6000 }, (_, i) => i * 10);
    const value = timestamp.map(() => 5);
    value[3017] = 99;
    value[3042] = -3;
    const line = thinned({ timestamp, value }, span);
    expect(line.timestamp.length).toBeLessThanOrEqual(120);
    expect(line.value.filter((one) => one !== 5)).toEqual([99, -3]);
    expect(line.timestamp[line.value.indexOf(99)]).toBe(30_170);
    expect(line.timestamp).toEqual(line.timestamp.toSorted((a, b) => a - b));
  });

  it('keeps what is missing for a whole slot, where the line breaks, and nothing else of it', () => {
    const timestamp = [100, 200, 1100, 1200, 2100];
    expect(thinned({ timestamp, value: [1, null, null, null, 2] }, span)).toEqual({
      timestamp: [100, 1100, 2100],
      value: [1, null, 2],
    });
  });
});
