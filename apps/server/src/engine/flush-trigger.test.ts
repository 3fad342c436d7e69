import type { PointExtras } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import { beforeEach, describe, expect, test } from 'vitest';
import { FlushTrigger } from './flush-trigger.ts';
import { PartitionState, textBytesPerPoint } from './partition-state.ts';

const flushAgeMs = 60_000;
const startMs = 1_000_000;
let clock: ManualClock;
let state: PartitionState;
let trigger: FlushTrigger;
let marks: number;
let refusal: string | undefined;
let said: string[];

beforeEach(() => {
  clock = new ManualClock(startMs);
  state = new PartitionState(0, 0, 0);
  marks = 0;
  refusal = undefined;
  said = [];
  trigger = new FlushTrigger({
    clock,
    report: (level, message, fields) => said.push(`${level} ${message} ${JSON.stringify(fields)}`),
    limits: { flushPoints: 10, flushAgeMs },
    append: async () => {
      if (refusal !== undefined) throw new Error(refusal);
      marks++;
      state.applyFlush(state.nextOffset, clock.now());
    },
  });
  trigger.start([state]);
});

/** A record of this many points, as the engine applies it. */
async function receive(
  points: number,
  receivedAt = clock.now(),
  extras?: PointExtras,
  seriesEnd = 1,
): Promise<void> {
  state.applyPoints({
    offset: state.nextOffset,
    receivedAt,
    handles: new Uint32Array(points),
    timestamps: new Float64Array(points),
    values: new Float64Array(points),
    extras,
    seriesEnd,
  });
  trigger.check(state);
  await settle();
}

/** The timer's look at all partitions, and the mark that follows. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the flush trigger', () => {
  test('marks by the size of texts, which count as the points whose memory they take', async () => {
    const textOf = (length: number): PointExtras => ({
      rows: Uint32Array.of(0),
      dataIds: [undefined],
      actors: [undefined],
      messages: ['x'.repeat(length)],
    });
    await receive(1, clock.now(), textOf(9 * textBytesPerPoint - 40));
    expect(marks).toBe(0);
    await receive(1, clock.now(), textOf(textBytesPerPoint));
    expect(marks).toBe(1);
    state.committed(state.pending[0]!);
    await receive(1, clock.now(), textOf(1));
    expect(marks).toBe(1);
  });

  test('marks by size and by age', async () => {
    await receive(9);
    expect(marks).toBe(0);
    await receive(1);
    expect(marks).toBe(1);
    state.committed(state.pending[0]!);
    await receive(1);
    await pass(flushAgeMs - 1000);
    expect(marks).toBe(1);
    await pass(2000);
    expect(marks).toBe(2);
  });

  test('flushes up to twice as much where a partition has many series, new ones not counted', async () => {
    const sizes = () => state.pending.map(({ firstPosition, endPosition }) => endPosition - firstPosition);
    const receiveOneByOne = async (points: number, seriesEnd: number) => {
      for (let i = 0; i < points; i++) await receive(1, clock.now(), undefined, seriesEnd);
    };
    for (const [known, size] of [
      [5000, 10],
      [7500, 15],
      [10_000, 20],
      [1_000_000, 20],
    ] as const) {
      state = new PartitionState(0, 0, 0);
      state.noteStored({ receivedAt: startMs, series: known });
      await receiveOneByOne(size - 1, known);
      expect(sizes()).toEqual([]);
      await receiveOneByOne(1, known);
      expect(sizes()).toEqual([size]);
    }
    state = new PartitionState(0, 0, 0);
    state.noteStored({ receivedAt: startMs, series: 10_000 });
    await receiveOneByOne(14, 10_006);
    expect(sizes()).toEqual([14]);
  });

  test('flushes many partitions before all of them together are more than may be unflushed', async () => {
    const partitions = 25;
    const states = Array.from({ length: partitions }, (_, i) => new PartitionState(i, 0, 0));
    const large = new FlushTrigger({
      clock,
      report: () => undefined,
      limits: { flushPoints: 1_000_000, flushAgeMs },
      append: async (partition) => {
        const marked = states[partition]!;
        marked.applyFlush(marked.nextOffset, clock.now());
      },
    });
    large.start(states);
    for (const one of states) one.noteStored({ receivedAt: startMs, series: 10_000 });
    for (let i = 0; i < 5; i++) {
      for (const one of states) {
        state = one;
        trigger = large;
        await receive(100_000, clock.now(), undefined, 10_000);
      }
    }
    large.stop();
    expect(states.map(({ pending }) => pending.length)).toEqual(states.map(() => 1));
  });

  test('marks by age where nothing comes but ticks, and ages nothing that the warehouse has', async () => {
    state = new PartitionState(0, 2, 0);
    trigger.stop();
    trigger.start([state]);
    for (let offset = 0; offset < 2; offset++) state.applyTick(offset, clock.now());
    await pass(2 * flushAgeMs);
    expect(marks).toBe(0);
    state.applyTick(2, clock.now());
    await pass(flushAgeMs - 1000);
    expect(marks).toBe(0);
    await pass(2000);
    expect([marks, state.pending]).toEqual([1, [expect.objectContaining({ from: 2, to: 4 })]]);
    state.committed(state.pending[0]!);
    await pass(2 * flushAgeMs);
    expect(marks).toBe(1);
  });

  test('lets what comes grow into one flush while another waits for the warehouse', async () => {
    for (let i = 0; i < 500; i++) await receive(10);
    await pass(10 * flushAgeMs);
    expect([marks, state.pending.length]).toEqual([1, 1]);
    state.committed(state.pending[0]!);
    trigger.check(state);
    await settle();
    expect([marks, state.pending.length]).toEqual([2, 1]);
    expect(state.pending[0]).toMatchObject({ firstPosition: 10, endPosition: 5000 });
  });

  test('does not let it grow without end: a flush must fit into memory beside the points', async () => {
    for (let i = 0; i < 40; i++) await receive(100_000);
    const sizes = state.pending.map(({ firstPosition, endPosition }) => endPosition - firstPosition);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500_000);
    expect(state.openPoints).toBeLessThan(500_000);
  });

  test('F10: flushes by age although the clock was set back by a day after the points came', async () => {
    await receive(1, startMs + 86_400_000);
    await pass(flushAgeMs + 1000);
    expect(marks).toBe(1);
  });

  test('says once that the log takes no marks, and once that it does again', async () => {
    refusal = 'the disk has failed';
    await receive(10);
    for (let i = 0; i < 20; i++) await pass(1000);
    expect(said).toEqual([expect.stringMatching(/^warn .*the disk has failed/)]);
    refusal = 'the disk is full';
    for (let i = 0; i < 20; i++) await pass(1000);
    expect(said).toHaveLength(2);
    refusal = undefined;
    for (let i = 0; i < 20; i++) await pass(1000);
    expect([said.length, marks]).toEqual([3, 1]);
    expect(said[2]).toMatch(/^info /);
  });
});
