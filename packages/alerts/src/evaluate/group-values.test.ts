import { groupValues } from '@nowcast/aggregate';
import type { SeriesDefinition } from '@nowcast/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupValues } from './group-values.ts';

const labels = ['host', 'region', 'source'] as const;
const definition: fc.Arbitrary<SeriesDefinition> = fc.record({
  tenant: fc.constant('acme'),
  metric_type: fc.constant('cpu'),
  source: fc.constantFrom('', 'agent'),
  labels: fc.subarray([...labels]).map((names) => names.map((name) => [name, `${name}-1`] as const)),
});

test('whatever was asked for before, it is what the series is grouped by', () => {
  fc.assert(
    fc.property(
      fc.array(definition, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), fc.shuffledSubarray([...labels])), { maxLength: 20 }),
      (definitions, asked) => {
        const values = new GroupValues();
        for (const [i, groupBy] of asked) {
          const of = definitions[i % definitions.length]!;
          expect(values.of(of, groupBy, JSON.stringify(groupBy))).toBe(groupValues(of, groupBy));
        }
      },
    ),
  );
});
