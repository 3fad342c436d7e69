import { ByteWriter, type PointsRecord } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { dedupeLimits, DedupeState } from './dedupe-state.ts';

const receivedAt = 1_700_000_000_000;

function answered(tenant: string, key: string, answer: string, at = receivedAt): PointsRecord {
  return {
    kind: 'points',
    tenant,
    keyId: 'k',
    receivedAt: at,
    firstDefinition: 0,
    definitions: [],
    series: new Uint32Array(0),
    timestamps: new Float64Array(0),
    values: new Float64Array(0),
    extras: undefined,
    idempotency: { key, bodyHash: 'hash', status: 200, answer },
  };
}

describe('answers that were given', () => {
  test('L12: are kept for each tenant by itself, also through a checkpoint', () => {
    const state = new DedupeState(1, { ...dedupeLimits, answersPerTenant: 3, answerBytesPerTenant: 100 });
    state.apply(0, 0, answered('shop', 'order', 'kept'));
    for (let i = 0; i < 10; i++) state.apply(0, i + 1, answered('noisy', `n${i}`, 'x'.repeat(30)));
    const again = new DedupeState(1);
    again.restore(state.checkpoint());
    for (const one of [state, again]) {
      expect(one.answerFor(0, 'shop', 'order', receivedAt)?.answer).toBe('kept');
      expect(one.answerFor(0, 'noisy', 'order', receivedAt)).toBeUndefined();
      expect(one.answerFor(0, 'noisy', 'n0', receivedAt)).toBeUndefined();
      expect(one.answerFor(0, 'noisy', 'n9', receivedAt)?.answer).toBe('x'.repeat(30));
    }
  });

  test('of a checkpoint that did not say whose they are go on to count', () => {
    const old = new ByteWriter();
    old.u8(2);
    // One partition, applied to 5, no ids, one answer.
    for (const number of [1, 5, 0, 1]) old.varint(number);
    old.string('order');
    old.string('hash');
    old.varint(200);
    old.string('from before');
    old.f64(receivedAt);
    const state = new DedupeState(1);
    state.restore(old.written());
    const again = new DedupeState(1);
    again.restore(state.checkpoint());
    expect(again.applied).toEqual([5]);
    expect(again.answerFor(0, 'shop', 'order', receivedAt)?.answer).toBe('from before');
    again.apply(0, 5, answered('shop', 'next', '', receivedAt + dedupeLimits.answerAgeMs));
    expect(Buffer.from(again.checkpoint()).includes('from before')).toBe(false);
  });

  test('are gone a day later, also those of who sends no more', () => {
    const state = new DedupeState(1);
    state.apply(0, 0, answered('once', 'import', 'long gone'));
    state.apply(0, 1, answered('shop', 'order', 'kept', receivedAt + dedupeLimits.answerAgeMs - 1));
    expect(Buffer.from(state.checkpoint()).includes('long gone')).toBe(true);
    state.apply(0, 2, answered('shop', 'next', 'kept', receivedAt + dedupeLimits.answerAgeMs));
    const bytes = Buffer.from(state.checkpoint());
    expect(['long gone', 'once', 'kept'].map((text) => bytes.includes(text))).toEqual([false, false, true]);
  });
});
