import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { upSchema } from './live/up.ts';
import { bothWhere, type Condition, querySchema, whereSchema } from './query.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const values = fc.array(text, { minLength: 1, maxLength: 4 });
const condition: fc.Arbitrary<Condition> = fc.oneof(
  values,
  values.map((not) => ({ not })),
  text.map((regex) => ({ regex })),
  text.map((regex) => ({ not_regex: regex })),
);
const where = fc.dictionary(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__'),
  fc.oneof(
    condition,
    fc.array(condition, { minLength: 1, maxLength: 4 }).map((all) => ({ all })),
  ),
  { maxKeys: 4, noNullPrototype: true },
);

describe('where', () => {
  test('a filter that a subscription sends arrives as it was', () => {
    fc.assert(
      fc.property(where, (filter) => {
        const sent = { type: 'subscribe', id: 'a', query: { metric_type: 'm', where: filter } };
        const read = upSchema.parse(JSON.parse(JSON.stringify(sent)));
        expect(read).toMatchObject({ query: querySchema.parse({ metric_type: 'm', where: filter }) });
        expect(read.type === 'subscribe' && read.query.where).toEqual(filter);
      }),
    );
  });

  test.each([
    [[]],
    [{ all: [] }],
    [{ all: [{ all: [['a']] }] }],
    [{ all: [['a']], not: ['b'] }],
    [{ not: [] }],
  ])('a condition that says nothing, or twice something, is refused: %j', (matcher) =>
    expect(whereSchema.safeParse({ host: matcher }).success).toBe(false),
  );

  test('filters meet label by label, and none replaces another', () => {
    expect(
      bothWhere(
        { host: ['a', 'b'], region: ['eu'] },
        { dc: { regex: 'f.*' }, host: { all: [{ not: ['b'] }, { regex: 'a' }] } },
        { host: ['a'] },
      ),
    ).toEqual({
      host: { all: [['a', 'b'], { not: ['b'] }, { regex: 'a' }, ['a']] },
      region: ['eu'],
      dc: { regex: 'f.*' },
    });
    const own = Object.fromEntries([['__proto__', ['x']]]);
    expect(Object.entries(bothWhere(own))).toEqual([['__proto__', ['x']]]);
  });
});
