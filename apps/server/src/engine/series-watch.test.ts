import type { SeriesDefinition, Where } from '@nowcast/contract';
import { SeriesIndex, seriesTest } from '@nowcast/head';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesWatch } from './series-watch.ts';

const values = fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 1, maxLength: 2 });
const matcher = fc.oneof(
  values,
  fc.record({ not: values }),
  fc.record({ regex: fc.constantFrom('a|b', '.*', '') }),
  fc.record({ all: fc.tuple(values, fc.record({ not: values })) }),
);
const where: fc.Arbitrary<Where> = fc.dictionary(fc.constantFrom('host', 'region', 'source'), matcher, {
  maxKeys: 3,
});
const series = fc.record({
  metric_type: fc.constantFrom('m', 'n'),
  source: fc.constantFrom('', 'a', 'b'),
  labels: fc
    .record(
      {
        host: fc.constantFrom('a', 'b', 'c'),
        region: fc.constantFrom('a', 'b'),
        n: fc.nat(30).map(String),
        source: fc.constantFrom('a', 'x'),
      },
      { requiredKeys: [] },
    )
    .map((labels) => Object.entries<string>(labels)),
});
const act = fc.oneof(
  { weight: 4, arbitrary: series.map((definition) => ({ kind: 'series' as const, definition })) },
  { weight: 2, arbitrary: where.map((filter) => ({ kind: 'watch' as const, filter })) },
  { weight: 1, arbitrary: fc.nat(9).map((which) => ({ kind: 'leave' as const, which })) },
);

test('shows each watcher the series that satisfy its filter, once, for as long as it watches', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const index = new SeriesIndex(2);
      const watch = new SeriesWatch(index);
      const defined: SeriesDefinition[] = [];
      const watchers: { filter: Where; seen: number[]; wanted: number[]; leave: () => void }[] = [];
      let watching: typeof watchers = [];
      for (const one of acts) {
        if (one.kind === 'series') {
          const definition = { tenant: 't', ...one.definition };
          const { size } = index;
          const handle = index.define(definition);
          defined[handle] = definition;
          if (index.size === size || definition.metric_type !== 'm') continue;
          for (const watcher of watching)
            if (seriesTest(watcher.filter)(definition)) watcher.wanted.push(handle);
        } else if (one.kind === 'watch') {
          const seen: number[] = [];
          const leave = watch.watch('t', { metricType: 'm', where: one.filter }, (handle) =>
            seen.push(handle),
          );
          const watcher = { filter: one.filter, seen, wanted: [...index.match('t', 'm', one.filter)], leave };
          watchers.push(watcher);
          // The index and the test of one series say the same.
          const accepts = seriesTest(one.filter);
          expect(watcher.wanted).toEqual(
            defined.flatMap((other, handle) => (other.metric_type === 'm' && accepts(other) ? [handle] : [])),
          );
          watching.push(watcher);
        } else {
          const gone = watching[one.which];
          gone?.leave();
          watching = watching.filter((watcher) => watcher !== gone);
        }
      }
      for (const { seen, wanted } of watchers) expect(seen).toEqual(wanted);
    }),
    { seed: 20_261_129, numRuns: 300 },
  );
});
