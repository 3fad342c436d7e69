import { isAppError } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecoderUnderTest, receivedAt } from './testing/decoded.ts';
import { type Member, referencePoint, textOfMembers } from './testing/json-reference.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...Array.from('ab\\"/\n\t\u0001\u007Fé🚀')), maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', '\uD800', 'x'.repeat(70)),
);
const anyJson = fc.oneof(
  fc.constantFrom(null, true, false, [], {}, [1, [2]], { a: { b: 'c' } }, ''),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  text,
);
const labelName = text.filter((name) => !name.includes('\0'));
const labels = fc.dictionary(labelName, text, { maxKeys: 4, noNullPrototype: true });
const timestamp = fc.oneof(
  fc.integer({ min: receivedAt - 10_000, max: receivedAt }),
  fc
    .integer({ min: receivedAt - 10_000, max: receivedAt })
    .map((ms) => new globalThis.Date(ms).toISOString()),
  fc.double({ min: receivedAt - 1000, max: receivedAt, noNaN: true }),
);
const valueOf: Record<string, fc.Arbitrary<unknown>> = {
  metric_type: fc.oneof(fc.constantFrom('cpu', 'mem'), text),
  value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
  timestamp,
  source: text,
  labels,
  data_id: text,
  actor: text,
  message: text,
};
const member = (name: string): fc.Arbitrary<Member> =>
  fc
    .oneof({ weight: 30, arbitrary: valueOf[name]! }, { weight: 1, arbitrary: anyJson })
    .map((value) => [name, value]);
const optionalMembers = ['timestamp', 'source', 'labels', 'data_id', 'actor', 'message'];
const members: fc.Arbitrary<readonly Member[]> = fc
  .tuple(
    fc.tuple(member('metric_type'), member('value')),
    fc.subarray(optionalMembers).chain((names) => fc.tuple(...names.map(member))),
    fc.oneof(
      { weight: 12, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(fc.constantFrom(...Object.keys(valueOf), 'extra').chain(member), {
          maxLength: 1,
        }),
      },
    ),
    fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  )
  .chain(([required, optional, more, missing]) => {
    const all = [...required.slice(missing), ...optional, ...more];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });
valueOf['extra'] = anyJson;
const space = fc.constantFrom('', '', ' ', '\n ', '\t\r');

function expectPoints(
  seen: ReturnType<DecoderUnderTest['json']>,
  lists: readonly (readonly Member[])[],
): void {
  const expected = lists.map(referencePoint);
  expect(seen.points).toStrictEqual(expected.filter((point) => point !== undefined));
  const refused = expected.flatMap((point, index) => (point === undefined ? [index] : []));
  expect(seen.rejected.map(({ index }) => index)).toStrictEqual(refused);
}

describe('JSON points', () => {
  test('an array gives the points that JSON.parse would, and refuses the same ones', () => {
    fc.assert(
      fc.property(fc.array(members, { maxLength: 5 }), space, (lists, gap) => {
        const decoder = new DecoderUnderTest();
        const body = `${gap}[${gap}${lists.map((list) => textOfMembers(list, gap)).join(`${gap},${gap}`)}${gap}]${gap}`;
        expectPoints(decoder.json(body), lists);
        expectPoints(decoder.json(body), lists);
      }),
      { numRuns: 1000 },
    );
  });

  test('NDJSON gives the same points, in any order of lines, predicted or not', () => {
    fc.assert(
      fc.property(
        fc.array(members, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(4), { maxLength: 12 }),
        fc.constantFrom('', ' ', '\t\r'),
        (lists, order, gap) => {
          const decoder = new DecoderUnderTest();
          for (const batch of [lists, order.map((i) => lists[i % lists.length]!), lists.toReversed()]) {
            const body = batch.map((list) => textOfMembers(list, gap)).join('\n');
            expectPoints(decoder.json(body, 'ndjson'), batch);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a damaged body is refused whole exactly when JSON.parse refuses it', () => {
    fc.assert(
      fc.property(
        fc.array(members, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.constantFrom('', '"', '\\', ',', '}', ']', '[', '0', '.', '-', 'e', '\u0001', ' '),
        (lists, place, put) => {
          const sound = `[${lists.map((list) => textOfMembers(list, '')).join(',')}]`;
          const at = place % (sound.length + 1);
          const body = `${sound.slice(0, at)}${put}${sound.slice(at + 1)}`.toWellFormed();
          const decoder = new DecoderUnderTest();
          for (const attempt of [sound.toWellFormed(), body, body]) {
            const parses = isJson(attempt);
            try {
              decoder.json(attempt);
              expect([attempt, parses]).toStrictEqual([attempt, true]);
            } catch (error) {
              if (!isAppError(error)) throw error;
              expect([attempt, error.code, parses]).toStrictEqual([attempt, 'request.invalid', false]);
            }
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('any bytes at all give points, rejections or request.invalid', () => {
    const decoder = new DecoderUnderTest();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom('json', 'ndjson'),
        members,
        (bytes, format, list) => {
          const point = new TextEncoder().encode(textOfMembers(list, ''));
          for (const body of [bytes, new Uint8Array([...point, 10, ...bytes, 10, ...point])]) {
            try {
              decoder.json(body, format);
            } catch (error) {
              expect(isAppError(error) && error.code).toBe('request.invalid');
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a body refused for its syntax defines no series, wherever it breaks', () => {
    const good = '{"metric_type":"a","value":1}';
    for (const body of [
      `[${good}`,
      `[${good},`,
      `[${good}]]`,
      `[${good},{"metric_type":"b","value":}]`,
      `${good} x`,
    ]) {
      const decoder = new DecoderUnderTest();
      expect(() => decoder.json(body)).toThrow(/not valid JSON at byte \d+ \(line 1\).*nothing was kept/);
      expect(decoder.registry.partitionSize(0)).toBe(0);
    }
  });

  test('one point may be a single object over several lines, and several objects may stand one a line', () => {
    expect(new DecoderUnderTest().json('{\n "metric_type": "a",\n "value": 1\n}\n').points).toHaveLength(1);
    const two = new DecoderUnderTest().json('{"metric_type":"a","value":1}\n{"metric_type":"a","value":2}\n');
    expect(two.points.map(({ value }) => value)).toStrictEqual([1, 2]);
  });

  test('a point over several lines is no line of NDJSON, also when it came as JSON before', () => {
    const pretty = '{"metric_type": "a",\n "value": 1}';
    const decoder = new DecoderUnderTest();
    const ndjson = `${pretty}\n{"value":2}`;
    const cold = decoder.json(ndjson, 'ndjson').rejected;
    expect(cold.map(({ index }) => index)).toStrictEqual([0, 1, 2]);
    expect(decoder.json(pretty).points).toHaveLength(1);
    expect(decoder.json(ndjson, 'ndjson')).toMatchObject({ points: [], rejected: cold });
  });

  test('a broken NDJSON line costs itself only', () => {
    const good = '{"metric_type":"a","value":1}';
    const seen = new DecoderUnderTest().json(
      `${good}\n{"metric_type":"a"\n\n5\n${good} x\n${good}`,
      'ndjson',
    );
    expect(seen.points).toHaveLength(2);
    expect(seen.rejected.map(({ index, message }) => [index, message.slice(0, 31)])).toStrictEqual([
      [1, 'line 2: not valid JSON at byte '],
      [3, 'line 4: a line is one object: {'],
      [4, 'line 5: not valid JSON at byte '],
    ]);
  });

  test('numbers beyond a double are refused, in points that were predicted too', () => {
    const body = (value: string) => `{"metric_type":"a","value":${value}}`;
    const decoder = new DecoderUnderTest();
    expect(
      decoder.json(`[${body('1')},${body('2')},${body('1e999')},${body('-1e308')}]`).points,
    ).toHaveLength(3);
  });

  test('rejections say what to change', () => {
    const seen = new DecoderUnderTest().json(
      '[{"value":1},{"metric_type":"a"},{"metric_type":"a","value":"1"},{"metric_type":"a","value":1,"host":"b"},{"metric_type":"a","value":1,"value":2},7]',
    );
    expect(seen.rejected.map(({ message }) => message)).toStrictEqual([
      'the metric_type is missing',
      'the value is missing',
      'the value must be a finite number',
      expect.stringMatching(/no member "host".*labels for everything else/),
      'the member "value" occurs twice',
      expect.stringMatching(/a point is an object/),
    ]);
  });

  test('C16: a million nested arrays are refused as too deep, without recursion to the end', () => {
    expect(() => new DecoderUnderTest().json('['.repeat(1_000_000))).toThrow(/nested deeper than 32 levels/);
    const deep = `{"metric_type":"a","value":1,"labels":${'{"a":'.repeat(1_000_000)}`;
    expect(() => new DecoderUnderTest().json(deep)).toThrow(/nested deeper than 32 levels/);
    expect(new DecoderUnderTest().json(deep, 'ndjson').rejected[0]?.message).toMatch(/nested deeper/);
  });

  test('C16: a label called __proto__ is a label and nothing else', () => {
    const decoder = new DecoderUnderTest();
    decoder.json('{"metric_type":"a","value":1,"labels":{"__proto__":"x","constructor":"y"}}');
    expect(decoder.registry.definitionOf(0).labels).toStrictEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('C17: too many labels and names too long are refused with the limit', () => {
    const problem = (rest: string) =>
      new DecoderUnderTest().json(`{"metric_type":"a","value":1,${rest}}`).rejected[0]?.message;
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, 'x']));
    expect(problem(`"labels":${JSON.stringify(many)}`)).toMatch(/may have 32 labels, this one has 33/);
    expect(problem(`"labels":{"${'n'.repeat(129)}":"x"}`)).toMatch(/longer than 128/);
    expect(problem(`"labels":{"n":"${'x'.repeat(1025)}"}`)).toMatch(/longer than 1024/);
    expect(problem(`"source":"${'x'.repeat(257)}"`)).toMatch(/longer than 256/);
    expect(problem(`"data_id":"${'x'.repeat(129)}"`)).toMatch(/longer than 128/);
    expect(problem(`"timestamp":${receivedAt + 300_001}`)).toMatch(/ahead of the server/);
  });
});

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
