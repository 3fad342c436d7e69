import { isAppError } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeDeltaBody,
  decodeFrame,
  decodeSnapshotBody,
  encodeDeltaBody,
  encodeFrame,
  encodeJsonFrame,
  encodeSnapshotBody,
  frameHeader,
  frameType,
} from './binary.ts';
import type { DeltaColumns, SnapshotColumns } from './columns.ts';
import { exampleDelta, exampleFeed, exampleMessages, exampleSnapshot, tenCells } from './wire-examples.ts';
import { deltaFromJson, deltaToJson, snapshotFromJson, snapshotToJson } from './json.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const longText = fc.string({ unit: 'grapheme', maxLength: 200 });
const labels = fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true });
const key = fc.integer({ min: 0, max: 0xffff_ffff });
const time = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }) },
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
);
const value = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constant(Number.NaN),
  fc.integer({ min: -1e9, max: 1e9 }).map((scaled) => scaled / 100),
);
const column = (item: fc.Arbitrary<number>, length: number) =>
  fc.oneof(
    fc.array(item, { minLength: length, maxLength: length }).map((items) => Float64Array.from(items)),
    fc.constant(Float64Array.from({ length }, (_, index) => 1_700_000_000_000 + index * 1000)),
    fc
      .array(fc.integer({ min: -99_999, max: 99_999 }), { minLength: length, maxLength: length })
      .map((items) => Float64Array.from(items, (scaled) => scaled / 1000)),
  );
const point = fc.record(
  {
    data_id: text,
    source: text,
    timestamp: time,
    metric_type: text,
    value: fc.double({ noNaN: true }),
    labels,
    received_at: time,
    actor: text,
    message: longText,
  },
  {
    requiredKeys: ['data_id', 'source', 'timestamp', 'metric_type', 'value', 'labels', 'received_at'],
    noNullPrototype: true,
  },
);
const points = fc.array(point, { maxLength: 4 });
const series = fc
  .nat({ max: 20 })
  .chain((length) =>
    fc.record(
      { key, labels, timestamps: column(time, length), values: column(value, length) },
      { noNullPrototype: true },
    ),
  );
const snapshots: fc.Arbitrary<SnapshotColumns> = fc.record(
  {
    epoch: text,
    seq: longText,
    recovered: fc.boolean(),
    stepMs: fc.nat(),
    from: time,
    to: time,
    series: fc.array(series, { maxLength: 5 }),
    points,
    note: longText,
  },
  { requiredKeys: ['epoch', 'seq', 'recovered', 'stepMs', 'from', 'to', 'series'], noNullPrototype: true },
);
const deltas: fc.Arbitrary<DeltaColumns> = fc.nat({ max: 30 }).chain((count) =>
  fc.record(
    {
      baseSeq: text,
      seq: text,
      newest: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2e12 })),
      series: fc.array(fc.record({ key, labels }, { noNullPrototype: true }), { maxLength: 4 }),
      removed: fc.array(key, { maxLength: 4 }),
      count: fc.constant(count),
      keys: fc
        .array(fc.oneof(key, fc.nat({ max: 200 })), { minLength: count, maxLength: count })
        .map((keys) => Uint32Array.from(keys)),
      buckets: column(time, count),
      values: column(value, count),
      points,
    },
    {
      requiredKeys: ['baseSeq', 'seq', 'newest', 'series', 'removed', 'count', 'keys', 'buckets', 'values'],
      noNullPrototype: true,
    },
  ),
);

describe('bodies', () => {
  test('a snapshot decodes to exactly what was encoded, bit for bit', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        expect(decodeSnapshotBody(encodeSnapshotBody(snapshot))).toEqual(snapshot);
      }),
      { numRuns: 500 },
    );
  });

  test('a delta decodes to exactly what was encoded, bit for bit', () => {
    fc.assert(
      fc.property(deltas, (delta) => {
        expect(decodeDeltaBody(encodeDeltaBody(delta))).toEqual(delta);
      }),
      { numRuns: 500 },
    );
  });

  test('only the first `count` cells of reused buffers are sent', () => {
    const reused = { ...tenCells, count: 3 };
    const decoded = decodeDeltaBody(encodeDeltaBody(reused));
    expect([...decoded.keys]).toEqual([1, 2, 3]);
    expect([...decoded.values]).toEqual([...tenCells.values.subarray(0, 3)]);
  });

  test('ten changed metrics of a view take no more than 68 bytes', () => {
    expect(encodeDeltaBody(tenCells).length).toBeLessThanOrEqual(68);
  });

  test('a minute of one-second readings takes about two bytes a reading', () => {
    const count = 60;
    const timestamps = Float64Array.from({ length: count }, (_, index) => 1_767_225_600_000 + index * 1000);
    const values = Float64Array.from({ length: count }, (_, index) => (4200 + ((index * 37) % 90)) / 100);
    const empty = encodeSnapshotBody({ ...exampleSnapshot, series: [] }).length;
    const full = encodeSnapshotBody({
      ...exampleSnapshot,
      series: [{ key: 1, labels: {}, timestamps, values }],
    });
    expect(full.length - empty).toBeLessThanOrEqual(2 * count + 20);
  });

  test('a label called __proto__ stays a label and reaches no prototype', () => {
    const labels = Object.fromEntries([['__proto__', 'polluted']]);
    const delta = { ...tenCells, series: [{ key: 1, labels }] };
    const decoded = decodeDeltaBody(encodeDeltaBody(delta)).series[0]!.labels;
    expect(Object.entries(decoded)).toEqual([['__proto__', 'polluted']]);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });
});

describe('malformed bytes', () => {
  const bodies = [
    encodeSnapshotBody(exampleSnapshot),
    encodeSnapshotBody(exampleFeed),
    encodeDeltaBody(tenCells),
    encodeDeltaBody(exampleDelta),
  ];

  function refusal(decode: () => unknown): string | undefined {
    try {
      decode();
      return undefined;
    } catch (error) {
      return isAppError(error) ? error.code : `not an AppError: ${String(error)}`;
    }
  }

  test('a body cut anywhere is refused with live.message_invalid', () => {
    for (const [index, body] of bodies.entries())
      for (let length = 0; length < body.length; length++) {
        const cut = body.subarray(0, length);
        const decode = index < 2 ? () => decodeSnapshotBody(cut) : () => decodeDeltaBody(cut);
        expect(refusal(decode), `body ${index} cut at ${length}`).toBe('live.message_invalid');
      }
  });

  test('arbitrary bytes either decode or are refused with live.message_invalid', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of [decodeSnapshotBody, decodeDeltaBody, decodeFrame])
          expect([undefined, 'live.message_invalid']).toContain(refusal(() => decode(bytes)));
      }),
      { numRuns: 1000 },
    );
  });

  test('flipping bits of a valid body never does worse than a refusal', () => {
    fc.assert(
      fc.property(
        fc.nat(bodies.length - 1),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (which, at, mask) => {
          const bytes = bodies[which]!.slice();
          bytes[at % bytes.length]! ^= mask;
          const decode = which < 2 ? () => decodeSnapshotBody(bytes) : () => decodeDeltaBody(bytes);
          expect([undefined, 'live.message_invalid']).toContain(refusal(decode));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a count larger than the bytes that follow is refused before anything is allocated', () => {
    const cells = 8;
    const claim = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    const bytes = Uint8Array.of(cells, 0, 0, 0, ...claim);
    expect(refusal(() => decodeDeltaBody(bytes))).toBe('live.message_invalid');
  });

  test('bytes after the end are refused', () => {
    const bytes = Uint8Array.of(...encodeDeltaBody(tenCells), 0);
    expect(() => decodeDeltaBody(bytes)).toThrow(/1 bytes follow the end/);
  });
});

describe('frames', () => {
  test('a frame keeps type, subscription, acknowledgement number and body', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(frameType)),
        fc.string({ unit: 'grapheme', maxLength: 64 }),
        fc.option(fc.integer({ min: 0, max: 0xffff_ffff }), { nil: undefined }),
        fc.uint8Array(),
        (type, id, ack, body) => {
          const frame = decodeFrame(encodeFrame(type, id, body, ack));
          expect(frame).toEqual({ type, id, ack, body });
        },
      ),
    );
  });

  test('header and body written one after the other are the frame', () => {
    const body = encodeDeltaBody(tenCells);
    const joined = Uint8Array.of(...frameHeader(frameType.delta, 'cpu', 9), ...body);
    expect(joined).toEqual(encodeFrame(frameType.delta, 'cpu', body, 9));
    expect(frameHeader(frameType.delta, 'cpu', 9).length).toBe(11);
  });

  test('other messages travel as JSON text inside a frame', () => {
    for (const message of exampleMessages) {
      const frame = decodeFrame(encodeJsonFrame(message));
      expect(frame.type).toBe(frameType.json);
      expect(JSON.parse(new TextDecoder().decode(frame.body))).toEqual(message);
    }
  });
});

describe('JSON form', () => {
  test('a snapshot survives JSON text, infinities becoming "no value"', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const parsed = JSON.parse(JSON.stringify(snapshotToJson('a', snapshot)));
        expect(snapshotFromJson(parsed).series.map((series) => [...series.values])).toEqual(
          snapshot.series.map((series) => [...series.values].map(throughJson)),
        );
      }),
    );
  });

  test('a delta survives JSON text with its positions, keys, buckets and values', () => {
    const parsed = JSON.parse(JSON.stringify(deltaToJson('a', exampleDelta, 4)));
    expect(parsed.ack).toBe(4);
    expect(deltaFromJson(parsed)).toEqual(exampleDelta);
    expect(deltaFromJson(JSON.parse(JSON.stringify(deltaToJson('a', tenCells))))).toEqual(tenCells);
  });

  function throughJson(value: number): number {
    return Number.isFinite(value) ? value + 0 : Number.NaN;
  }
});
