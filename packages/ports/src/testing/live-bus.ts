import { describe, expect, test, vi } from 'vitest';
import type { ViewFrame } from '../engine.ts';
import type { LiveBus } from '../live-bus.ts';

/** Long enough for a busy machine; what is waited for usually takes milliseconds. */
const patience = { timeout: 60_000, interval: 5 };

export interface LiveBusHarness {
  name: string;
  /** A bus nobody else is on, and one end more of it for another node. */
  create(onListenerError: (error: unknown) => void): Promise<{ here: LiveBus; there: LiveBus }>;
}

/** Conformance suite of the `LiveBus` port. Delivery may take a while, so each test waits for what it expects. */
export function liveBusConformance(harness: LiveBusHarness): void {
  describe(`${harness.name} as a live bus`, () => {
    test('every subscriber gets each tick once, together and in order, whatever node it is on', async () => {
      const { here, there } = await harness.create(unexpected);
      const heard = [collect(here), collect(there), collect(there)];
      for (let tick = 0; tick < 50; tick++) here.publish([frame(1, tick), frame(2, tick)]);
      const ticks = Array.from({ length: 50 }, (_, tick) => [`1@${tick}`, `2@${tick}`]);
      for (const one of heard) await vi.waitFor(() => expect(one).toEqual(ticks), patience);
    });

    test('a frame arrives as it was published, byte for byte', async () => {
      const { here, there } = await harness.create(unexpected);
      const received: ViewFrame[] = [];
      there.subscribe((frames) => received.push(...frames));
      const body = Uint8Array.from({ length: 256 }, (_, i) => i);
      const sent: ViewFrame = { ...frame(7, 3), kind: 'snapshot', recovered: true, receivedAt: 1.5e12, body };
      here.publish([sent]);
      await vi.waitFor(() => expect(received).toEqual([sent]), patience);
    });

    test('a tick without frames is no event', async () => {
      const { here, there } = await harness.create(unexpected);
      const heard = collect(there);
      here.publish([]);
      here.publish([frame(1, 1)]);
      await vi.waitFor(() => expect(heard).toEqual([['1@1']]), patience);
    });

    test('who subscribes later gets nothing of before, and who has left nothing more', async () => {
      const { here } = await harness.create(unexpected);
      const first: string[][] = [];
      const leave = here.subscribe((frames) => first.push(names(frames)));
      here.publish([frame(1, 1)]);
      await vi.waitFor(() => expect(first).toEqual([['1@1']]), patience);
      const second = collect(here);
      leave();
      leave();
      here.publish([frame(1, 2)]);
      await vi.waitFor(() => expect(second).toEqual([['1@2']]), patience);
      expect(first).toEqual([['1@1']]);
    });

    test('who subscribes while a tick is delivered begins with the next one', async () => {
      const { here } = await harness.create(unexpected);
      const late: string[][][] = [];
      here.subscribe(() => late.push(collect(here)));
      here.publish([frame(1, 1)]);
      await vi.waitFor(() => expect(late).toHaveLength(1), patience);
      here.publish([frame(1, 2)]);
      await vi.waitFor(() => expect(late).toEqual([[['1@2']], []]), patience);
    });

    test('a listener that another one unsubscribes is not called for the tick that is being delivered', async () => {
      const { here } = await harness.create(unexpected);
      const heard: string[] = [];
      const leave: (() => void)[] = [];
      for (const name of ['a', 'b']) {
        leave.push(
          here.subscribe(() => {
            heard.push(name);
            for (const one of leave) one();
          }),
        );
      }
      here.publish([frame(1, 1)]);
      await vi.waitFor(() => expect(heard).toHaveLength(1), patience);
      const after = collect(here);
      here.publish([frame(1, 2)]);
      await vi.waitFor(() => expect(after).toEqual([['1@2']]), patience);
      expect(heard).toHaveLength(1);
    });

    test('a listener that throws is reported and takes nothing from the others or the publisher', async () => {
      const errors: unknown[] = [];
      const { here } = await harness.create((error) => errors.push(error));
      const failure = new Error('this listener fails');
      here.subscribe(() => {
        throw failure;
      });
      const heard = collect(here);
      here.publish([frame(1, 1)]);
      here.publish([frame(1, 2)]);
      await vi.waitFor(() => expect(heard).toEqual([['1@1'], ['1@2']]), patience);
      await vi.waitFor(() => expect(errors).toEqual([failure, failure]), patience);
    });
  });
}

function collect(bus: LiveBus): string[][] {
  const heard: string[][] = [];
  bus.subscribe((frames) => heard.push(names(frames)));
  return heard;
}

function names(frames: readonly ViewFrame[]): string[] {
  return frames.map(({ view, seq }) => `${view}@${seq}`);
}

function frame(view: number, seq: number): ViewFrame {
  return {
    view,
    kind: 'delta',
    baseSeq: `${seq - 1}`,
    seq: `${seq}`,
    recovered: false,
    receivedAt: 0,
    body: Uint8Array.of(view, seq),
  };
}

function unexpected(error: unknown): never {
  throw error;
}
