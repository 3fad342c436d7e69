import { isAppError } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecord, encodeRecord } from './log-codec.ts';
import type { LogRecord, PointExtras, PointsRecord } from './log-record.ts';

/** Records with an ordinary prototype, as the decoder builds them. */
const plain = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 });
const definition = plain({
  tenant: fc.oneof(fc.constant('acme'), name),
  metric_type: name,
  source: fc.oneof(fc.constant(''), name),
  labels: fc.array(fc.tuple(name, name), { maxLength: 4 }),
});
const timestamp = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  fc.double({ noNaN: true, min: -1e13, max: 1e13 }),
);

interface Row {
  series: number;
  timestamp: number;
  value: number;
  dataId: string | undefined;
  actor: string | undefined;
  message: string | undefined;
}

const optional = fc.option(name, { nil: undefined, freq: 5 });
const row = (series: fc.Arbitrary<number>, at: fc.Arbitrary<number>): fc.Arbitrary<Row> =>
  plain({
    series,
    timestamp: at,
    value: fc.double({ noNaN: true }),
    dataId: optional,
    actor: optional,
    message: optional,
  });
const rows = fc.oneof(
  fc.array(row(fc.nat(2 ** 32 - 1), timestamp), { maxLength: 40 }),
  fc.array(row(fc.nat(300), fc.constant(1_700_000_000_000.25)), { maxLength: 40 }),
  fc.array(row(fc.constant(7), fc.integer({ min: 5, max: 400 })), { maxLength: 40 }),
);

function extrasOf(points: readonly Row[]): PointExtras | undefined {
  const having = points
    .map((point, index) => ({ point, index }))
    .filter(({ point }) => point.dataId ?? point.actor ?? point.message);
  if (having.length === 0) return undefined;
  return {
    rows: Uint32Array.from(having, ({ index }) => index),
    dataIds: having.map(({ point }) => point.dataId),
    actors: having.map(({ point }) => point.actor),
    messages: having.map(({ point }) => point.message),
  };
}

function recordOf(points: readonly Row[], rest: Partial<PointsRecord>): PointsRecord {
  return {
    kind: 'points',
    tenant: 'acme',
    receivedAt: 1_700_000_000_000,
    keyId: 'k',
    firstDefinition: 0,
    definitions: [],
    series: Uint32Array.from(points, (point) => point.series),
    timestamps: Float64Array.from(points, (point) => point.timestamp),
    values: Float64Array.from(points, (point) => point.value),
    extras: extrasOf(points),
    equalIsRetry: true,
    idempotency: undefined,
    ...rest,
  };
}

const points = plain({
  rows,
  repeat: fc.integer({ min: 1, max: 4 }),
  firstDefinition: fc.nat(2 ** 40),
  definitions: fc.array(definition, { maxLength: 3 }),
  receivedAt: fc.double({ noNaN: true, min: 0, max: 4e12 }),
  keyId: fc.oneof(fc.constant(''), name),
  equalIsRetry: fc.boolean(),
  idempotency: fc.option(
    plain({ key: name, bodyHash: name, status: fc.constantFrom(200, 204, 422), answer: name }),
    {
      nil: undefined,
    },
  ),
}).map(({ rows: period, repeat, ...rest }) =>
  recordOf(Array.from({ length: repeat }, () => period).flat(), rest),
);
const record: fc.Arbitrary<LogRecord> = fc.oneof(
  { weight: 8, arbitrary: points },
  plain({ kind: fc.constant('flush' as const), receivedAt: timestamp, from: fc.nat(2 ** 50) }),
  plain({
    kind: fc.constant('tick' as const),
    receivedAt: timestamp,
    at: fc.array(fc.nat(2 ** 50), { maxLength: 4 }),
  }),
  plain({
    kind: fc.constant('alert' as const),
    receivedAt: timestamp,
    tenant: name,
    command: plain({ type: fc.constant('remove' as const), rule_id: name }),
    seed: fc.uint8Array({ maxLength: 300 }),
  }),
);

describe('the log codec', () => {
  test('gives back exactly what was encoded, wherever in a buffer the bytes lie', () => {
    fc.assert(
      fc.property(record, fc.nat(9), (original, shift) => {
        const bytes = encodeRecord(original);
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        expect(decodeRecord(shifted.subarray(shift))).toStrictEqual(original);
      }),
      { numRuns: 400 },
    );
  });

  test('decoded columns share no memory with the bytes they came from', () => {
    const original = recordOf(
      [{ series: 3, timestamp: 5, value: 7, dataId: 'a', actor: undefined, message: undefined }],
      {},
    );
    const bytes = encodeRecord(original);
    const decoded = decodeRecord(bytes);
    bytes.fill(0xff);
    expect(decoded).toStrictEqual(original);
  });

  test('a batch that repeats its series once a second takes little more than its values', () => {
    const series = Uint32Array.from({ length: 5000 }, (_, i) => (i * 7) % 1000);
    const timestamps = Float64Array.from(
      { length: 5000 },
      (_, i) => 1_700_000_000_000 + Math.floor(i / 1000) * 10,
    );
    const bytes = encodeRecord({
      ...recordOf([], {}),
      series,
      timestamps,
      values: new Float64Array(5000).fill(1.5),
    });
    expect(bytes.length).toBeLessThan(5000 * 9.5);
  });

  test('damaged bytes are refused with log.failed and nothing else, however they are damaged', () => {
    fc.assert(
      fc.property(
        record,
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (original, place, byte, cut) => {
          const bytes = encodeRecord(original);
          const damaged = cut ? bytes.slice(0, place % bytes.length) : bytes.slice();
          if (!cut) damaged[place % bytes.length] = byte;
          try {
            decodeRecord(damaged);
          } catch (error) {
            expect(isAppError(error) && error.code).toBe('log.failed');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a truncated record is always refused', () => {
    const bytes = encodeRecord(
      recordOf([{ series: 3, timestamp: 5, value: 7, dataId: 'a', actor: 'b', message: 'c' }], {}),
    );
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord(bytes.subarray(0, length))).toThrow(/cannot be read/);
    }
  });

  test('in a record from before it was written down, an equal text is a retry', () => {
    const before =
      '010100008056febc78420461636d65016b0000010100040268690100000000000000144001000300000000000000f03f';
    const row = { series: 3, timestamp: 5, value: 1, dataId: undefined, actor: undefined, message: 'hi' };
    expect(decodeRecord(Buffer.from(before, 'hex'))).toStrictEqual(recordOf([row], { equalIsRetry: true }));
  });

  test('a version from the future is refused', () => {
    const bytes = encodeRecord({ kind: 'tick', receivedAt: 1, at: [] });
    bytes[0] = 2;
    expect(() => decodeRecord(bytes)).toThrow(/newer version/);
  });
});
