import { limits } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecoderUnderTest, type Point, receivedAt } from './testing/decoded.ts';
import { referenceLines } from './testing/line-reference.ts';

const nameText = fc.string({
  unit: fc.constantFrom(...Array.from('abcA_09-.é🚀"\\ ,=')),
  minLength: 1,
  maxLength: 12,
});
const escapeTag = (text: string) => text.replaceAll(/[,= ]/g, String.raw`\$&`);
const tag = fc.tuple(nameText, nameText).map(([name, value]) => `${escapeTag(name)}=${escapeTag(value)}`);
const numberText = fc.oneof(
  fc.integer().map((value) => `${value}i`),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 65n }).map((value) => `${value}i`),
  fc.bigInt({ min: 0n, max: 2n ** 65n }).map((value) => `${value}u`),
  fc.double({ noNaN: true }).map(String),
  fc.integer({ min: -999_999, max: 999_999 }).map((cents) => (cents / 100).toFixed(2)),
  fc.constantFrom(
    't',
    'F',
    'true',
    'False',
    'TRUE',
    '1.',
    '.5',
    '+3',
    '1e3',
    '-0',
    '00012',
    '1e999',
    'nan',
    '',
    '1.5i',
  ),
);
const quoted = fc
  .string({ unit: fc.constantFrom(...Array.from('ab"\\ ,=\né🚀')), maxLength: 12 })
  .map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);
const field = fc.tuple(
  fc.oneof(fc.constant('value'), nameText.map(escapeTag)),
  fc.oneof(numberText, numberText, quoted),
);
const timeText = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map((offset) => ` ${receivedAt + offset}000000`),
  fc.bigInt({ min: 1_699_999_999_000_000_000n, max: 1_700_000_000_000_999_999n }).map((nanos) => ` ${nanos}`),
  fc.constantFrom(
    '',
    ' ',
    ' 0',
    ' -5',
    ' 99999999999999999999',
    ' 1700000000000000000 x',
    '  1700000000000000000 \r',
  ),
);
const soundLine = fc
  .tuple(
    nameText.map((text) => text.replaceAll(/[, ]/g, String.raw`\$&`)),
    fc.array(tag, { maxLength: 3 }),
    fc.array(field, { minLength: 1, maxLength: 3 }),
    timeText,
  )
  .map(
    ([measurement, tags, fields, time]) =>
      `${[measurement, ...tags].join(',')} ${fields.map(([name, value]) => `${name}=${value}`).join(',')}${time}`,
  );
const damagedLine = fc
  .tuple(soundLine, fc.nat(200), fc.constantFrom('', ' ', ',', '=', '\\', '"', '\n', '#', '\t', 'i'))
  .map(([line, place, put]) => {
    const at = place % (line.length + 1);
    return `${line.slice(0, at)}${put}${line.slice(at + 1)}`.toWellFormed();
  });
const anyLine = fc.oneof(soundLine, soundLine, damagedLine, fc.constantFrom('# a comment', '', '  ', '\r'));

function expectAgreement(body: string, decoder = new DecoderUnderTest()): void {
  const expected = referenceLines(body);
  const seen = decoder.lines(body);
  expect(seen.points).toStrictEqual(expected.points);
  expect(seen.rejected.map(({ index }) => index)).toStrictEqual(expected.rejectedLines.slice(0, 100));
  expect(seen.rejectedCount).toBe(expected.rejectedLines.length);
}

function simplePoint(
  metric: string,
  labels: Record<string, string>,
  value: number,
  rest: Partial<Point> = {},
): Point {
  return {
    metric_type: metric,
    source: '',
    labels,
    timestamp: receivedAt,
    value,
    data_id: undefined,
    actor: undefined,
    message: undefined,
    ...rest,
  };
}

describe('line protocol', () => {
  test('agrees with a slow reading of the same text, sound lines and broken ones', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 8 }), (lines) => {
        expectAgreement(lines.join('\n'));
      }),
      { numRuns: 1500 },
    );
  });

  test('agrees when the same lines come again in any order, predicted or not', () => {
    fc.assert(
      fc.property(
        fc.array(anyLine, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
        (lines, order) => {
          const decoder = new DecoderUnderTest();
          expectAgreement(lines.join('\n'), decoder);
          expectAgreement(lines.join('\n'), decoder);
          expectAgreement(order.map((i) => lines[i % lines.length]!).join('\n'), decoder);
          expectAgreement(lines.toReversed().join('\n'), decoder);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('agrees when a few series come in turn with other values, repeated times and slips of the pen', () => {
    const start = fc.constantFrom(
      'cpu,host=a usage=',
      'cpu,host=b usage=',
      'mem value=',
      String.raw`m\ x,a=1 f\==`,
    );
    const number = fc.oneof(
      fc.integer({ min: 0, max: 9999 }).map((n) => String(n / 100)),
      numberText,
    );
    const time = fc.constantFrom(
      '1700000000000000000',
      '1700000000000000001',
      '1700000000001000000',
      '170000000000000000',
      '17000000000000000000',
      '1700000000000000000 ',
      '1700000000000000000\r',
      '9700000000000000000',
    );
    const slip = fc.constantFrom<(line: string) => string>(
      (line) => line,
      (line) => line,
      (line) => line,
      (line) => line.replace(' ', '  '),
      (line) => line.replace('=', ''),
      (line) => line.replace(/=(?=[^=]*$)/, ''),
      (line) => line.replace(/ (?=\d+$)/, ''),
      (line) => line.replace(' ', ' ,'),
      (line) => `${line},`,
    );
    const turn = fc.tuple(start, number, time, slip).map(([s, n, t, change]) => change(`${s}${n} ${t}`));
    fc.assert(
      fc.property(fc.array(turn, { minLength: 4, maxLength: 24 }), (lines) => {
        const decoder = new DecoderUnderTest();
        for (let pass = 0; pass < 3; pass++) expectAgreement(lines.join('\n'), decoder);
        expectAgreement(lines.map((line) => line.replace('  ', ' ')).join('\n'), decoder);
      }),
      { numRuns: 1000 },
    );
  });

  test('a line learned with two spaces teaches nothing about one that lacks its sign', () => {
    const decoder = new DecoderUnderTest();
    const twice = 'cpu  usage=1 1700000000000000000\n'.repeat(2);
    expect(decoder.lines(`${twice}cpu  usage5 1700000000000000000\n`).rejected).toHaveLength(1);
    expect(decoder.lines(`cpu  usage5 1700000000000000000\n${twice}`).rejected).toHaveLength(1);
  });

  test('any bytes at all give points or rejections and never an exception', () => {
    const decoder = new DecoderUnderTest();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(soundLine, { maxLength: 2 }),
        (bytes, lines) => {
          const text = new TextEncoder().encode(`${lines.join('\n')}\n`);
          const body = new Uint8Array([...text, ...bytes, ...text]);
          expect(decoder.lines(body).points.length).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('maps fields, tags, source and text as documented', () => {
    const { points } = new DecoderUnderTest().lines(
      String.raw`cpu\ load,region=eu,source=web-1,host=a value=1,usage=2i,up=t,note="it \"works\"" 1700000000000000000`,
    );
    const labels = { host: 'a', region: 'eu' };
    const source = 'web-1';
    expect(points).toStrictEqual([
      simplePoint('cpu load', labels, 1, { source }),
      simplePoint('cpu load_usage', labels, 2, { source }),
      simplePoint('cpu load_up', labels, 1, { source }),
      simplePoint('cpu load_note', labels, 1, { source, message: 'it "works"' }),
    ]);
  });

  test('an integer of nothing has no sign, a float of nothing keeps its own', () => {
    const points = new DecoderUnderTest().lines('m a=-0i,b=-0,c=-0i').points;
    expect(points.map(({ value }) => Object.is(value, -0))).toEqual([false, true, false]);
  });

  test('reads timestamps of every precision', () => {
    for (const [precision, text, ms] of [
      ['ns', '1700000000000000000', receivedAt],
      ['ns', '1699999999999123456', receivedAt - 1 + 0.123456],
      ['us', '1700000000000500', receivedAt + 0.5],
      ['ms', '1700000000001', receivedAt + 1],
      ['s', '1700000001', receivedAt + 1000],
      ['m', '28333333', 28333333 * 60_000],
      ['h', '472222', 472222 * 3_600_000],
    ] as const) {
      const { points } = new DecoderUnderTest().lines(`a value=1 ${text}\na value=1 ${text}`, precision);
      expect([precision, points.map(({ timestamp }) => timestamp)]).toStrictEqual([precision, [ms, ms]]);
    }
  });

  test('counts integers that no double holds and rounds them to the nearest', () => {
    const decoder = new DecoderUnderTest();
    const seen = decoder.lines('a b=9007199254740993i,c=9007199254740992i,d=18446744073709551615u,e=5i');
    expect(seen.points.map(({ value }) => value)).toStrictEqual([2 ** 53, 2 ** 53, 2 ** 64, 5]);
    expect(seen.roundedIntegers).toBe(2);
  });

  test('keeps the sound lines and names each broken one with what to change', () => {
    const { points, rejected } = new DecoderUnderTest().lines(
      'a value=1\nb value=x\nc\na value=2\nd value=1 1700000000000000000000\ne value=1 1800000000000000000\nf,=b value=1',
    );
    expect(points.map(({ value }) => value)).toStrictEqual([1, 2]);
    expect(rejected.map(({ index }) => index)).toStrictEqual([1, 2, 4, 5, 6]);
    expect(rejected[0]?.message).toMatch(/^line 2: "x" is not a value/);
    expect(rejected[3]?.message).toMatch(/line 6: .* ahead of the server's clock/);
  });

  test('whatever is wrong with a line, the texts of its fields are no lines', () => {
    // An exception's text as Telegraf sends it: who can get text into a log could write any metric else.
    const text = 'Exception: \\"no\\"\npayments,env=prod value=0\n# at main()\ncpu value=9';
    const sound = 'cpu value=1\n';
    for (const [fields, problem] of [
      [`msg="${text}",n=NaN`, /not a value/],
      [`n=NaN,msg="${text}"`, /not a value/],
      [`msg="${text}" 9700000000000000000`, /ahead of the server's clock/],
      [`msg="${text}" 1 2`, /follows the timestamp/],
      [`msg="${text}"?`, /follows a quoted text/],
      [`msg="${text}${'x'.repeat(limits.messageLength)}"`, /longer than/],
      [`a"b=x,msg="${text}",more="a\nb"`, /not a value/],
      [String.raw`a\="x,msg="${text}"`, /not name=value/],
    ] as const) {
      const decoder = new DecoderUnderTest();
      const body = `${sound}log,host=a\\ b ${fields}\n${sound}x\n`;
      for (let pass = 0; pass < 2; pass++) {
        const { points, rejected } = decoder.lines(body);
        expect(points.map(({ metric_type }) => metric_type)).toStrictEqual(['cpu', 'cpu']);
        const lines = body.split('\n').length;
        expect(rejected.map(({ index }) => index)).toStrictEqual([1, lines - 2]);
        expect(rejected[0]?.message).toMatch(problem);
      }
    }
  });

  test('a text that does not close ends with the line it opens in', () => {
    const { points, rejected } = new DecoderUnderTest().lines('a value=1\nb x="1\n2",y="3\nc value=1\nd\n');
    expect(points.map(({ metric_type }) => metric_type)).toStrictEqual(['a', 'c']);
    expect(rejected.map(({ index }) => index)).toStrictEqual([1, 4]);
  });

  test('a broken line defines no series', () => {
    const decoder = new DecoderUnderTest();
    decoder.lines('a good=1,bad=x\nb good=1 x\nc good=1,other="open');
    expect(decoder.registry.partitionSize(0)).toBe(0);
  });

  test('F10: points more than five minutes ahead or ten years back are refused with the reason', () => {
    const at = (ms: number) => `a value=1 ${ms}000000`;
    const { points, rejected } = new DecoderUnderTest().lines(
      [receivedAt + 300_000, receivedAt + 300_001, receivedAt - 3_600_000, 1].map(at).join('\n'),
    );
    expect(points.map(({ timestamp }) => timestamp)).toStrictEqual([
      receivedAt + 300_000,
      receivedAt - 3_600_000,
    ]);
    expect(rejected.map(({ message }) => message)).toStrictEqual([
      expect.stringMatching(/300 s ahead/),
      expect.stringMatching(/days back/),
    ]);
  });

  test('C17: fields that repeat long tags are refused once their series take too much, those before are kept', () => {
    const decoder = new DecoderUnderTest(undefined, { newBytesLeft: 10_000 });
    const fields = Array.from({ length: 40 }, (_, i) => `f${i}=${i}`);
    const lines = fields.map((field) => `cpu,host=${'x'.repeat(980)} ${field}\n`).join('');
    const { points, rejected, rejectedCount } = decoder.lines(lines);
    expect([points.length, rejectedCount]).toEqual([10, 30]);
    expect(rejected[0]).toMatchObject({
      code: 'request.too_large',
      message: expect.stringMatching(/several requests/),
    });
    // What is known by now is read.
    expect(decoder.lines(lines)).toMatchObject({ rejectedCount: 20 });
  });

  test('text that is not UTF-8 is refused in tags and in strings alike', () => {
    const broken = (before: string, after: string) =>
      new Uint8Array([...new TextEncoder().encode(before), 0xc3, 0x28, ...new TextEncoder().encode(after)]);
    expect(new DecoderUnderTest().lines(broken('a,b=', ' value=1')).rejected[0]?.message).toMatch(/UTF-8/);
    expect(new DecoderUnderTest().lines(broken('a value="', '"')).rejected[0]?.message).toMatch(/UTF-8/);
  });
});
