/**
 * One decoder reads the bodies of all tenants. Whatever it read before, be it refused in the middle of a point, a body
 * means what it means to a decoder that is new.
 */
import { SeriesIndex } from '@nowcast/head';
import { isAppError } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decoded, DecoderUnderTest, receivedAt } from './testing/decoded.ts';

/** Reached by a body of a few hundred lines. */
const maxPoints = 1024;

type Outcome = Pick<Decoded, 'points' | 'rejected'> | { refused: string };

function outcomeOf(decode: () => Decoded): Outcome {
  try {
    const { points, rejected } = decode();
    return { points, rejected };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { refused: error.message };
  }
}

/** Each body after all the others, and to a decoder of its own. */
function expectNoMemory<T>(
  bodies: readonly T[],
  read: (decoder: DecoderUnderTest, body: T) => Decoded,
): void {
  const old = newDecoder();
  for (const body of bodies) {
    const fresh = newDecoder();
    expect(outcomeOf(() => read(old, body))).toEqual(outcomeOf(() => read(fresh, body)));
  }
}

function newDecoder(): DecoderUnderTest {
  return new DecoderUnderTest(new SeriesIndex(1), { maxPoints });
}

const line = fc
  .tuple(
    fc.constantFrom('cpu', 'cpu,host=a', 'cpu,host=b', 'mem', 'm\\ x,a\\,b=c', 'cpu,host='),
    fc.array(
      fc.tuple(
        fc.constantFrom('v', 'usage', 'f\\ 1', ' idle'),
        fc.constantFrom('1', '0.5', '3i', 't', '"te xt"', '1e5', 'NaN', '', '"x'),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.constantFrom('', ` ${receivedAt}000000`, ` ${receivedAt - 5}000000`, ' x'),
  )
  .map(
    ([key, fields, time]) => `${key} ${fields.map(([name, value]) => `${name}=${value}`).join(',')}${time}\n`,
  );
/** As many points as a request may have, so that the next line is one too many. */
const full = 'cpu,host=a v=1\n'.repeat(maxPoints);
const lines = fc.record({
  isFull: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  text: fc.array(line, { minLength: 1, maxLength: 6 }).map((all) => all.join('')),
});

const point = fc
  .record(
    {
      metric_type: fc.constantFrom('sale', 'visit'),
      value: fc.constantFrom(1, 0.5, 'x'),
      timestamp: fc.constantFrom(receivedAt, receivedAt - 1, 'bad'),
      labels: fc.constantFrom({ shop: 'a' }, { shop: 'b' }),
      data_id: fc.constantFrom('id-1', 'id-2', ''),
      actor: fc.constantFrom('ann', 'bob'),
      message: fc.constantFrom('hello', 'a"b'),
    },
    { requiredKeys: ['metric_type', 'value'] },
  )
  .chain((content) => fc.constantFrom(0, 0, 1).map((indent) => JSON.stringify(content, null, indent)));
const points = fc.record({
  texts: fc.array(point, { minLength: 1, maxLength: 5 }),
  format: fc.constantFrom('json' as const, 'ndjson' as const),
  /** How many bytes of the end are missing. */
  cutOff: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60) }),
});

describe('a body means the same whatever was read before', () => {
  test('line protocol', () => {
    const bodies = fc.array(lines, { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(bodies, (all) =>
        expectNoMemory(all, (decoder, { isFull, text }) => decoder.lines(isFull ? full + text : text)),
      ),
      { seed: 20_261_130, numRuns: 300 },
    );
  });

  test('JSON and NDJSON', () => {
    const bodies = fc.array(points, { minLength: 2, maxLength: 16 });
    fc.assert(
      fc.property(bodies, (all) =>
        expectNoMemory(all, (decoder, { texts, format, cutOff }) => {
          const text = format === 'json' ? `[${texts.join(',')}]` : texts.join('\n');
          return decoder.json(text.slice(0, text.length - cutOff), format);
        }),
      ),
      { seed: 20_261_130, numRuns: 500 },
    );
  });
});
