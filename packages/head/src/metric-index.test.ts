import { type Condition, conditionsOf, type Matcher } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesIndex, seriesTest } from './index.ts';

const names = ['host', 'region', 'source'];
const value = fc.constantFrom('', 'a', 'b', 'web-1', 'web-2', 'é|:');
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.array(value, { minLength: 1, maxLength: 3 }),
  fc.array(value, { minLength: 1, maxLength: 3 }).map((not) => ({ not })),
  fc.constantFrom('web-.*', 'a|b', '', '.+').map((regex) => ({ regex })),
  fc.constantFrom('web-.*', 'a|b', '', '.+').map((regex) => ({ not_regex: regex })),
);
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  condition,
  fc.array(condition, { minLength: 1, maxLength: 4 }).map((all) => ({ all })),
  fc.constant<Matcher>([]),
);

/** The meaning of a matcher, by the language's own regular expressions. */
function holds(matcher: Matcher, value: string): boolean {
  return conditionsOf(matcher).every((one) => {
    if (Array.isArray(one)) return one.includes(value);
    if ('not' in one) return !one.not.includes(value);
    const negated = 'not_regex' in one;
    return new RegExp(`^(?:${negated ? one.not_regex : one.regex})$`, 'u').test(value) !== negated;
  });
}

describe('matching series by labels', () => {
  it('finds the same series as testing each one by itself', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ host: value, region: value, source: value }), { maxLength: 30 }),
        fc.dictionary(fc.constantFrom(...names, 'absent'), matcher, { maxKeys: 3 }),
        (rows, where) => {
          const index = new SeriesIndex(3);
          const handles = rows.map((row) =>
            index.define({
              tenant: 't',
              metric_type: 'm',
              source: row.source,
              labels: (['host', 'region'] as const)
                .filter((name) => row[name] !== '')
                .map((name) => [name, row[name]] as const),
            }),
          );
          const expected = new Set(
            handles.filter((_, i) =>
              Object.entries(where).every(([label, m]) =>
                holds(m, (rows[i] as Record<string, string>)[label] ?? ''),
              ),
            ),
          );
          expect([...index.match('t', 'm', where)]).toEqual([...expected].sort((a, b) => a - b));
          const accepts = seriesTest(where);
          expect(handles.filter((handle) => accepts(index.definitionOf(handle)))).toEqual(
            handles.filter((handle) => expected.has(handle)),
          );
        },
      ),
    );
  });

  it('C18 a regular expression that backtracks elsewhere is harmless, and a bad one says so', () => {
    const index = new SeriesIndex(1);
    index.define({ tenant: 't', metric_type: 'm', source: '', labels: [['path', `${'a'.repeat(1000)}!`]] });
    expect(index.match('t', 'm', { path: { regex: '(a+)+$' } })).toHaveLength(0);
    expect(() => index.match('t', 'm', { path: { regex: '(' } })).toThrow(/not a regular expression/);
    // A rule with such a filter once passed as long as nothing matched, and stopped the engine when it was watched.
    const unneeded = { a: ['nope'], path: { regex: '(' } };
    for (const metric of ['m', 'not_there_yet'])
      expect(() => index.match('t', metric, unneeded)).toThrow(/not a regular expression/);
  });

  it('keeps tenants apart', () => {
    const index = new SeriesIndex(1);
    index.define({ tenant: 't', metric_type: 'm', source: '', labels: [] });
    expect(index.match('other', 'm', {})).toHaveLength(0);
  });
});

describe('defining series', () => {
  it('gives the same handle, partition and local index to the same definitions in the same order', () => {
    const define = (index: SeriesIndex) =>
      Array.from({ length: 50 }, (_, i) => {
        const handle = index.define({
          tenant: 't',
          metric_type: 'm',
          source: '',
          labels: [['host', `h${i % 40}`]],
        });
        return [handle, index.partitionOf(handle), index.localOf(handle), index.idOf(handle)];
      });
    expect(define(new SeriesIndex(3))).toEqual(define(new SeriesIndex(3)));
  });

  it('refuses a new series beyond the limit and still knows the old ones', () => {
    const index = new SeriesIndex(1, () => 2);
    const definition = (i: number) => ({
      tenant: 't',
      metric_type: 'm',
      source: '',
      labels: [['i', `${i}`]] as const,
    });
    index.define(definition(0));
    index.define(definition(1));
    expect(() => index.define(definition(2))).toThrow(/already has 2 series/);
    expect(index.define(definition(1))).toBe(1);
    expect(index.define({ ...definition(0), tenant: 'other' })).toBe(2);
  });
});
