import type { SeriesDefinition } from '@nowcast/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DefinitionStore } from './definition-store.ts';

// Few texts, so that the same ones stand at different places, and definitions begin alike.
const text = fc.constantFrom('', 'a', 'b', 'host', 'cpu');
const definition: fc.Arbitrary<SeriesDefinition> = fc.record({
  tenant: text,
  metric_type: text,
  source: text,
  labels: fc.array(fc.tuple(text, text), { maxLength: 3 }),
});

test('each definition has one handle, in the order of addition, and is given back as it was', () => {
  fc.assert(
    fc.property(fc.array(definition, { maxLength: 60 }), (all) => {
      const store = new DefinitionStore();
      const handles = new Map<string, number>();
      for (const one of all) {
        const known = handles.get(JSON.stringify(one));
        expect(store.find(one)).toBe(known ?? -1);
        if (known === undefined) handles.set(JSON.stringify(one), store.add(one));
      }
      expect([...handles.values()]).toEqual(Array.from(handles.keys(), (_, i) => i));
      for (const [key, handle] of handles) {
        expect(JSON.stringify(store.definitionOf(handle))).toBe(key);
        expect([store.tenantOf(handle), store.metricOf(handle)]).toEqual([
          store.definitionOf(handle).tenant,
          store.definitionOf(handle).metric_type,
        ]);
      }
    }),
  );
});

test('finds each of many after it has grown, also those with more labels than any before', () => {
  const store = new DefinitionStore();
  const of = (n: number): SeriesDefinition => ({
    tenant: 't',
    metric_type: `m${n % 7}`,
    source: '',
    labels: Array.from({ length: n % 50 }, (_, i) => [`l${i}`, `v${n}`]),
  });
  for (let n = 0; n < 5000; n++) if (store.find(of(n)) < 0) store.add(of(n));
  for (let n = 0; n < 5000; n++) expect(store.definitionOf(store.find(of(n)))).toEqual(of(n));
  expect(() => store.definitionOf(store.size)).toThrow('is not defined');
  expect(() => store.add(of(1))).toThrow('added once');
});
