import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstComparedKey, assignSlots, linesBesideOther, otherSlot, slotCount } from './series-name.ts';
import type { StoredSeries } from './stored-series.ts';

const make = (names: string[]): StoredSeries[] =>
  names.map((name, key) => ({ key, labels: { host: name }, name, slot: 0, t: [], v: [] }));

describe('colours of series', () => {
  it('gives up to eight series of a panel eight different colours', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: slotCount }), (names) => {
        const slots = assignSlots(make(names.filter((name) => name !== 'Other'))).map((one) => one.slot);
        expect(new Set(slots).size).toBe(slots.length);
        expect(slots.every((slot) => slot >= 0 && slot < slotCount)).toBe(true);
      }),
    );
  });

  it('keeps a colour whatever order the series come in', () => {
    const names = ['eu-1', 'eu-2', 'us-1', 'ap-3'];
    const slotOf = (list: StoredSeries[]) => Object.fromEntries(list.map((one) => [one.name, one.slot]));
    expect(slotOf(assignSlots(make(names)))).toEqual(slotOf(assignSlots(make([...names].reverse()))));
  });

  it('draws "Other" grey and the ninth series dashed', () => {
    const slots = assignSlots(make(['Other', ...Array.from({ length: 9 }, (_, i) => `s${i}`)]));
    expect(slots.find((one) => one.name === 'Other')!.slot).toBe(otherSlot);
    expect(Math.max(...slots.map((one) => one.slot))).toBeGreaterThanOrEqual(slotCount);
  });
});

describe('whether groups were cut', () => {
  it('is decided by the number of lines: a label that really says "Other" cuts nothing', () => {
    const real = assignSlots(make(['Other', 'eu', 'us']));
    expect(linesBesideOther(real, 3)).toBeNull();
    expect(linesBesideOther(real, undefined)).toBeNull();
    expect(linesBesideOther(real, 2)).toBe(2);
    // Those of an earlier time stand beside them.
    const both = [...real, ...real.map((one) => ({ ...one, key: firstComparedKey + one.key }))];
    expect(linesBesideOther(both, 3)).toBeNull();
    expect(linesBesideOther(both, 2)).toBe(2);
    // One group is called so, and the rest is added up beside it.
    expect(linesBesideOther(assignSlots(make(['Other', 'Other', 'eu'])), 2)).toBe(2);
  });
});
