import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeKey, DdSketch, ddIndex, ddValue } from './dd-sketch.ts';
import { HyperLogLog, hllSlot } from './hyperloglog.ts';
import { hashText, murmur3 } from './murmur3.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

function sketchOf(values: readonly number[]): DdSketch {
  const sketch = new DdSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

function pairsOf(sketch: DdSketch): [number, number][] {
  return Array.from({ length: sketch.length }, (_, i) => [sketch.keys[i]!, sketch.counts[i]!]);
}

describe('DdSketch', () => {
  it('represents every normal double within 1 %', () => {
    const large = fc.double({ min: 2 ** 1022, max: Number.MAX_VALUE, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(finite, large), (value) => {
        fc.pre(value === 0 || Math.abs(value) > 2.3e-308);
        expect(Math.abs(ddValue(ddIndex(value)) - value)).toBeLessThanOrEqual(
          Math.abs(value) * 0.010_000_001,
        );
      }),
    );
  });

  it('sorts keys like the values', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        if (a < b) expect(ddIndex(a)).toBeLessThanOrEqual(ddIndex(b));
      }),
    );
  });

  it('looks up the very key that the definition gives', () => {
    const magnitude = fc.oneof(
      fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }),
      fc.integer({ min: 1, max: 1_000_000 }).map((hundredths) => hundredths / 100),
      // Values next to the border between two buckets.
      fc
        .tuple(fc.integer({ min: -30_000, max: 30_000 }), fc.integer({ min: -3, max: 3 }))
        .map(([exponent, ulps]) => {
          const border = (1.01 / 0.99) ** exponent;
          return border * (1 + ulps * Number.EPSILON);
        }),
    );
    fc.assert(
      fc.property(
        magnitude.filter((value) => value > 0 && Number.isFinite(value)),
        (value) => {
          expect([ddIndex(value), ddIndex(-value)]).toEqual([computeKey(value), -computeKey(value)]);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('keeps the keys that stored sketches were written with', () => {
    expect([0, 1, -1, 100, -0.5, 1e-9, 1e300, 5e-324].map(ddIndex)).toEqual([
      0, 40000, -40000, 40231, -39966, 38964, 74538, 2780,
    ]);
  });

  it('takes a run like the values one by one', () => {
    const close = fc.double({ min: 1, max: 50, noNaN: true });
    // Counted in place, sorted where keys lie far apart, and one by one: zeros among any of them.
    const wide = fc.oneof(finite, close, fc.constant(0), fc.constant(-0));
    const ofMany = fc.oneof(
      fc.array(fc.oneof({ weight: 4, arbitrary: close }, fc.constant(0)), { maxLength: 60 }),
      fc.array(wide, { maxLength: 60 }),
    );
    const runs = fc.array(fc.oneof(ofMany, fc.array(finite, { maxLength: 12 })));
    fc.assert(
      fc.property(runs, (all) => {
        const sketch = new DdSketch();
        for (const run of all) sketch.addRun(Float64Array.from([7, ...run, 9]), 1, run.length + 1);
        const expected = sketchOf(all.flat());
        expect(pairsOf(sketch)).toEqual(pairsOf(expected));
        expect(sketch.total).toBe(expected.total);
      }),
    );
  });

  it('takes the pairs of another sketch, ascending or not, like its values', () => {
    fc.assert(
      fc.property(fc.array(finite), fc.array(finite), fc.boolean(), (own, others, isShuffled) => {
        const pairs = pairsOf(sketchOf(others));
        if (isShuffled) pairs.reverse();
        const columns = [[3, 1] as [number, number], ...pairs, [5, 1] as [number, number]];
        const sketch = sketchOf(own);
        sketch.mergePairs(
          Int32Array.from(columns, ([key]) => key),
          Float64Array.from(columns, ([, count]) => count),
          1,
          columns.length - 1,
        );
        const expected = sketchOf([...own, ...others]);
        expect(pairsOf(sketch)).toEqual(pairsOf(expected));
        expect(sketch.total).toBe(expected.total);
      }),
    );
  });

  it('is the same bit for bit whatever the order of points and merges', () => {
    fc.assert(
      fc.property(fc.array(finite), fc.array(finite), (left, right) => {
        const forward = sketchOf([...left, ...right]);
        const merged = sketchOf(right.toReversed());
        merged.merge(sketchOf(left.toReversed()));
        expect(pairsOf(merged)).toEqual(pairsOf(forward));
        expect(merged.total).toBe(forward.total);
      }),
    );
  });

  it('answers quantiles within 1 % of the exact element', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
        const sketch = sketchOf(values);
        for (const fraction of [0, 0.5, 0.9, 0.99, 1]) {
          const exact = values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))]!;
          fc.pre(exact === 0 || Math.abs(exact) > 1e-300);
          expect(Math.abs(sketch.quantile(fraction) - exact)).toBeLessThanOrEqual(
            Math.abs(exact) * 0.010_001,
          );
        }
      }),
    );
  });

  it('has no quantile without points', () => {
    expect(new DdSketch().quantile(0.5)).toBeNaN();
  });
});

describe('MurmurHash3 x86_128', () => {
  it('passes the verification of its author (SMHasher)', () => {
    const hashes = new Uint8Array(256 * 16 + 16);
    const out = new Uint32Array(4);
    for (let length = 0; length < 256; length += 1) {
      const key = Uint8Array.from({ length: 272 }, (_, i) => (i < length ? i : 0));
      murmur3(key, length, 256 - length, out);
      new Uint8Array(hashes.buffer, length * 16, 16).set(new Uint8Array(out.buffer));
    }
    murmur3(hashes, 256 * 16, 0, out);
    expect(out[0]).toBe(0xb3ece62a);
  });

  it('does not depend on texts hashed before', () => {
    const short = [...hashText('anna')];
    hashText('a much longer text that fills more of the scratch space');
    expect([...hashText('anna')]).toEqual(short);
    expect([...hashText('x'.repeat(3000))]).toEqual([...hashText('x'.repeat(3000))]);
  });
});

describe('HyperLogLog', () => {
  it('keeps the slots that stored registers were written with', () => {
    expect(['anna', 'ben', '', 'Zoë', '\u{1F600}'].map(hllSlot)).toMatchInlineSnapshot(`
      [
        {
          "rank": 1,
          "register": 351,
        },
        {
          "rank": 1,
          "register": 1154,
        },
        {
          "rank": 53,
          "register": 0,
        },
        {
          "rank": 1,
          "register": 4057,
        },
        {
          "rank": 2,
          "register": 84,
        },
      ]
    `);
  });

  it('estimates within 5 % from one actor to a hundred thousand', () => {
    const sketch = new HyperLogLog();
    let added = 0;
    for (const size of [1, 2, 10, 100, 500, 1000, 5000, 20_000, 100_000]) {
      for (; added < size; added += 1) sketch.addActor(`user-${added}`);
      expect(Math.abs(sketch.estimate() - size)).toBeLessThanOrEqual(size * 0.05);
    }
  });

  it('is the same whatever the order, through the step from sparse to dense', () => {
    const actor = fc.integer({ min: 0, max: 4000 }).map((n) => `actor ${n}`);
    const many = fc.array(actor, { maxLength: 1500, size: 'max' });
    fc.assert(
      fc.property(many, many, (left, right) => {
        const forward = new HyperLogLog();
        for (const name of [...left, ...right]) forward.addActor(name);
        const merged = new HyperLogLog();
        for (const name of right.toReversed()) merged.addActor(name);
        const other = new HyperLogLog();
        for (const name of left.toReversed()) other.addActor(name);
        merged.merge(other);
        expect(slotsOf(merged)).toEqual(slotsOf(forward));
      }),
      { numRuns: 30 },
    );
  });

  it('counts nobody as nobody', () => {
    expect(new HyperLogLog().estimate()).toBe(0);
  });
});

function slotsOf(sketch: HyperLogLog): [number, number][] {
  const slots: [number, number][] = [];
  sketch.forEach((register, rank) => slots.push([register, rank]));
  return slots;
}
