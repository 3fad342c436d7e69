import { noUnit, type RuleEntry } from '@nowcast/alerts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RuleTargets } from './rule-targets.ts';

/** The targets never look into a rule. */
function ruleNamed(name: string): RuleEntry {
  return { tenant: name } as RuleEntry;
}

test('says of each series what a list for each would, whoever comes and goes', () => {
  const change = fc.record({
    rule: fc.nat(6),
    handle: fc.oneof(fc.nat(20), fc.integer({ min: 1020, max: 3000 })),
    side: fc.nat(1),
    unit: fc.oneof(fc.nat(1_000_000), fc.integer({ min: -1000, max: -2 })),
    leaves: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), (changes) => {
      const targets = new RuleTargets();
      const entries = Array.from({ length: 7 }, (_, i) => ruleNamed(`r${i}`));
      const model = new Map<number, string[]>();
      for (const { rule, handle, side, unit, leaves } of changes) {
        const entry = entries[rule]!;
        if (!leaves) {
          targets.add(handle, entry, side);
          targets.forEach(
            handle,
            (_entry, _side, told, cell) => told === noUnit && targets.setUnit(cell, unit),
          );
          model.set(handle, [...(model.get(handle) ?? []), `${entry.tenant} ${side} ${unit}`]);
          continue;
        }
        const bare: number[] = [];
        targets.remove(entry, (gone) => bare.push(gone));
        const wanted: number[] = [];
        for (const [other, list] of model) {
          const left = list.filter((target) => !target.startsWith(`${entry.tenant} `));
          if (left.length > 0) model.set(other, left);
          else if (model.delete(other)) wanted.push(other);
        }
        expect(bare.sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b));
        // Its place is for another.
        entries[rule] = ruleNamed(`${entry.tenant}'`);
      }
      for (let handle = 0; handle <= 3000; handle += 1) {
        const found: string[] = [];
        targets.forEach(handle, (entry, side, unit) => found.push(`${entry.tenant} ${side} ${unit}`));
        expect(found.sort()).toEqual((model.get(handle) ?? []).sort());
        expect(targets.has(handle)).toBe(model.has(handle));
      }
    }),
    { seed: 20_261_129, numRuns: 100 },
  );
});
