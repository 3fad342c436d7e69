import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tail } from './index.ts';

interface Point {
  handle: number;
  timestamp: number;
  value: number;
}

function append(tail: Tail, offset: number, points: readonly Point[]): void {
  tail.append({
    offset,
    receivedAt: offset * 10,
    handles: Uint32Array.from(points, (point) => point.handle),
    timestamps: Float64Array.from(points, (point) => point.timestamp),
    values: Float64Array.from(points, (point) => point.value),
    count: points.length,
    extras: undefined,
  });
}

const point = fc.record({ handle: fc.nat(4), timestamp: fc.nat(50), value: fc.nat(3) });
const batches = fc.array(fc.array(point, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 20 });

describe('the tail of a partition', () => {
  it('a walk since a time meets every point from then on, and none where all are older', () => {
    fc.assert(
      fc.property(batches, fc.nat(60), (input, since) => {
        const tail = new Tail(0);
        input.forEach((points, offset) => append(tail, offset, points));
        for (let handle = 0; handle < 5; handle++) {
          const seen: number[] = [];
          tail.walk(handle, 0, tail.end, (timestamp) => void seen.push(timestamp), since);
          const all = input.flat().filter((p) => p.handle === handle);
          const wanted = all.map((p) => p.timestamp).filter((timestamp) => timestamp >= since);
          expect(seen.filter((timestamp) => timestamp >= since)).toEqual(wanted.reverse());
          // Only the newest arrival is looked at when nothing can follow.
          if (wanted.length === 0) expect(seen.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('knows how much text came from a position on, and where as much is left as may stay', () => {
    const texts = fc.array(fc.record({ points: fc.integer({ min: 1, max: 3 }), length: fc.nat(200) }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(texts, fc.nat(5), fc.nat(3000), (input, evicted, most) => {
        const tail = new Tail(0);
        const sizes: number[] = [];
        const starts: number[] = [];
        input.forEach(({ points, length }, offset) => {
          starts.push(tail.end);
          const extras = {
            rows: Uint32Array.of(0),
            dataIds: [undefined],
            actors: ['a'],
            messages: ['x'.repeat(length)],
          };
          const [handles, columns] = [new Uint32Array(points), new Float64Array(points)];
          const rest = { handles, timestamps: columns, values: columns, count: points };
          tail.append({ offset, receivedAt: 0, ...rest, extras: length === 0 ? undefined : extras });
          sizes.push(length === 0 ? 0 : length + 1 + 80);
        });
        const gone = Math.min(evicted, input.length - 1);
        tail.evict(starts[gone]!);
        const from = (record: number) => sizes.slice(record).reduce((sum, size) => sum + size, 0);
        for (let record = gone; record < input.length; record++)
          expect(tail.textBytesFrom(starts[record]!)).toBe(from(record));
        expect([tail.textBytesFrom(tail.end), tail.textBytes]).toEqual([0, from(0)]);
        const kept = starts.findIndex((_, record) => record >= gone && from(record) <= most);
        expect(tail.firstPositionWithTexts(most)).toBe(starts[kept] ?? tail.end);
      }),
    );
  });

  it('walks each series newest arrival first, whatever was evicted', () => {
    fc.assert(
      fc.property(batches, fc.double({ min: 0, max: 1, noNaN: true }), (input, cut) => {
        const tail = new Tail(0);
        input.forEach((points, offset) => append(tail, offset, points));
        const all = input.flat();
        const first = Math.floor(cut * all.length);
        tail.evict(first);
        for (let handle = 0; handle < 5; handle++) {
          const seen: Point[] = [];
          tail.walk(handle, 0, tail.end, (timestamp, value) => void seen.push({ handle, timestamp, value }));
          expect(seen).toEqual(
            all
              .slice(first)
              .filter((p) => p.handle === handle)
              .reverse(),
          );
          const known = all.filter((p) => p.handle === handle).map((p) => p.timestamp);
          expect(tail.newestOf(handle)).toBe(Math.max(Number.NEGATIVE_INFINITY, ...known));
        }
        expect(tail.evictedNewest).toBe(
          Math.max(Number.NEGATIVE_INFINITY, ...all.slice(0, first).map((p) => p.timestamp)),
        );
        for (const p of all.slice(first)) expect(tail.has(p.handle, p.timestamp, p.value)).toBe(true);
      }),
    );
  });

  it('says which record brought a point', () => {
    const tail = new Tail(0);
    append(tail, 7, [{ handle: 0, timestamp: 1, value: 1 }]);
    append(tail, 9, [
      { handle: 0, timestamp: 2, value: 1 },
      { handle: 3, timestamp: 2, value: 1 },
    ]);
    expect([0, 1, 2].map((position) => tail.recordAt(position).offset)).toEqual([7, 9, 9]);
  });

  it('crosses block borders without losing a link', () => {
    const tail = new Tail(0);
    const n = 150_000;
    const batch = Array.from({ length: n }, (_, i) => ({ handle: i % 2, timestamp: i, value: i }));
    append(tail, 0, batch);
    tail.evict(70_000);
    let count = 0;
    let expected = n - 1;
    tail.walk(1, 0, tail.end, (timestamp) => {
      expect(timestamp).toBe(expected);
      expected -= 2;
      count++;
    });
    expect(count).toBe(40_000);
  });
});
