import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acknowledge,
  ask,
  createFlow,
  drained,
  flowLimits,
  isDead,
  mustStall,
  shouldAsk,
  stalenessMs,
} from './flow-control.ts';

describe('flow control', () => {
  test('asks about every half second, and never twice at once', () => {
    const flow = createFlow(0, 0);
    expect(shouldAsk(flow, flowLimits.askEveryMs - 1)).toBe(false);
    expect(shouldAsk(flow, flowLimits.askEveryMs)).toBe(true);
    ask(flow, 7, 500);
    expect(shouldAsk(flow, 5000)).toBe(false);
    acknowledge(flow, 7);
    expect(shouldAsk(flow, 5000)).toBe(true);
  });

  test('a question unanswered for a second stops the frames; its answer starts them again', () => {
    const flow = createFlow(0, 0);
    ask(flow, 7, 0);
    expect(mustStall(flow, 0, flowLimits.stallMs)).toBe(false);
    expect(mustStall(flow, 0, flowLimits.stallMs + 1)).toBe(true);
    expect(stalenessMs(flow, 3000)).toBe(3000);
    expect(acknowledge(flow, 6)).toBe(false);
    expect(acknowledge(flow, 7)).toBe(true);
    expect(mustStall(flow, 0, 3001)).toBe(false);
    expect(stalenessMs(flow, 3001)).toBe(0);
  });

  test('a full buffer stops the frames too, until it is empty', () => {
    const flow = createFlow(0, 0);
    expect(mustStall(flow, flowLimits.bufferedBytes + 1, 1)).toBe(true);
    expect(mustStall(flow, 0, 2)).toBe(true);
    expect(drained(flow)).toBe(true);
    expect(mustStall(flow, 0, 3)).toBe(false);
  });

  test('an empty buffer does not stand in for an answer that is due', () => {
    const flow = createFlow(0, 0);
    ask(flow, 7, 0);
    mustStall(flow, 0, 2000);
    expect(drained(flow)).toBe(false);
    expect(isDead(flow, 30_000, 30_000)).toBe(false);
    expect(isDead(flow, 30_001, 30_000)).toBe(true);
  });

  test('a buffer that never empties is the end too, where no answer is due', () => {
    const flow = createFlow(0, 0);
    mustStall(flow, flowLimits.bufferedBytes + 1, 1000);
    expect(isDead(flow, 31_000, 30_000)).toBe(false);
    expect(isDead(flow, 31_001, 30_000)).toBe(true);
    drained(flow);
    expect(isDead(flow, 31_001, 30_000)).toBe(false);
  });

  test('whatever a peer acknowledges and when, at most one question is open and a stall always has a way out', () => {
    const step = fc.record({ ms: fc.nat(700), ack: fc.nat(5), buffered: fc.constantFrom(0, 0, 0, 300_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const flow = createFlow(0, 0);
        let now = 0;
        let question = 0;
        for (const { ms, ack, buffered } of steps) {
          now += ms;
          acknowledge(flow, question - ack);
          if (mustStall(flow, buffered, now)) continue;
          if (shouldAsk(flow, now)) {
            expect(flow.asked).toBe(0);
            ask(flow, ++question, now);
          }
        }
        if (flow.asked === 0) drained(flow);
        else acknowledge(flow, flow.asked);
        expect(mustStall(flow, 0, now)).toBe(false);
      }),
    );
  });
});
