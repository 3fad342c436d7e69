import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesIndex } from './index.ts';

const label = fc.constantFrom('', 'a', 'b', 'c');
const row = fc.record({ metric: fc.constantFrom('cpu', 'mem'), source: label, host: label, region: label });
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

function indexOf(rows: readonly Row[]): { index: SeriesIndex; distinct: Row[] } {
  const index = new SeriesIndex(3);
  const distinct = new Map<number, Row>();
  for (const one of rows) {
    const labels = (['host', 'region'] as const).flatMap((name) =>
      one[name] === '' ? [] : [[name, one[name]] as const],
    );
    const handle = index.define({ tenant: 't', metric_type: one.metric, source: one.source, labels });
    distinct.set(handle, one);
  }
  return { index, distinct: [...distinct.values()] };
}

/** `label=value` → number of rows that carry it. */
function counted(rows: readonly Row[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of rows) {
    for (const name of ['source', 'host', 'region'] as const) {
      if (one[name] === '') continue;
      const key = `${name}=${one[name]}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  return counts;
}

describe('label counts', () => {
  it('of a tenant say how many of its series carry each value', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const { index, distinct } = indexOf(rows);
        const found: Record<string, number> = {};
        for (const [name, values] of index.labelCounts('t'))
          for (const [value, series] of values) found[`${name}=${value}`] = series;
        expect(found).toEqual(counted(distinct));
        expect(index.labelCounts('other').size).toBe(0);
      }),
    );
  });

  it('of a metric count the chosen series alone', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), fc.constantFrom('a', 'b'), (rows, host) => {
        const { index, distinct } = indexOf(rows);
        const cpu = index.metric('t', 'cpu');
        const found: Record<string, number> = {};
        const chosen = cpu?.match({ host: [host] }) ?? new Uint32Array(0);
        cpu?.countAmong(chosen, (name, value, series) => {
          found[`${name}=${value}`] = series;
        });
        expect(found).toEqual(counted(distinct.filter((one) => one.metric === 'cpu' && one.host === host)));
      }),
    );
  });
});
