import { ByteWriter, type PointsRecord } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { dedupeLimits, DedupeState } from './dedupe-state.ts';
import { Fingerprint } from './fingerprint.ts';

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
    equalIsRetry: false,
    idempotency: { key, bodyHash: 'hash', status: 200, answer },
  };
}

/** Points of one series with what is looked at when they come again. */
function points(
  equalIsRetry: boolean,
  entries: readonly { data_id?: string; message?: string }[],
): PointsRecord {
  return {
    ...answered('shop', '', ''),
    idempotency: undefined,
    equalIsRetry,
    series: new Uint32Array(entries.length),
    timestamps: new Float64Array(entries.length).fill(receivedAt),
    values: new Float64Array(entries.length),
    extras: {
      rows: Uint32Array.from(entries.keys()),
      dataIds: entries.map(({ data_id }) => data_id),
      actors: entries.map(() => undefined),
      messages: entries.map(({ message }) => message),
    },
  };
}

const numbers = Array.from({ length: 10 }, (_, i) => `${i}`);

function hasId(state: DedupeState, id: string): boolean {
  const fingerprint = new Fingerprint();
  fingerprint.ofDataId(id);
  return state.hasId('shop', fingerprint.high, fingerprint.low, receivedAt);
}

function hasText(state: DedupeState, text: string): boolean {
  const fingerprint = new Fingerprint();
  fingerprint.ofMessage(0, 0, receivedAt, text);
  return state.hasText('shop', fingerprint.high, fingerprint.low, receivedAt);
}

describe('ids and texts that were taken', () => {
  test('L12: no number of texts pushes an id out of its window, nor do ids push out texts', () => {
    // Two thousand log lines a second filled a window of a million in eight minutes; orders counted twice after nine.
    const state = new DedupeState(1, { ...dedupeLimits, idsPerTenant: 3 });
    state.apply(0, 0, points(false, [{ data_id: 'order' }]));
    state.apply(
      0,
      1,
      points(
        false,
        numbers.map((message) => ({ message })),
      ),
    );
    state.apply(
      0,
      2,
      points(
        true,
        numbers.map((message) => ({ message })),
      ),
    );
    const again = new DedupeState(1);
    again.restore(state.checkpoint());
    for (const one of [state, again]) {
      expect(hasId(one, 'order')).toBe(true);
      expect(numbers.filter((text) => hasText(one, text))).toEqual(['7', '8', '9']);
    }
    state.apply(
      0,
      3,
      points(
        false,
        numbers.map((data_id) => ({ data_id })),
      ),
    );
    expect(numbers.filter((id) => hasId(state, id))).toEqual(['7', '8', '9']);
    expect(numbers.filter((text) => hasText(state, text))).toEqual(['7', '8', '9']);
  });

  test('texts of native JSON are not kept: nobody asks for them', () => {
    const state = new DedupeState(1);
    state.apply(0, 0, points(false, [{ message: 'a' }]));
    expect(hasText(state, 'a')).toBe(false);
  });

  test('of a checkpoint that did not tell them apart go on to count as either', () => {
    const old = new ByteWriter();
    old.u8(3);
    // One partition, applied to 5, one tenant with two fingerprints, no answers.
    for (const number of [1, 5, 1]) old.varint(number);
    old.string('shop');
    old.varint(2);
    const fingerprints = [new Fingerprint(), new Fingerprint()];
    fingerprints[0]!.ofDataId('order');
    fingerprints[1]!.ofMessage(0, 0, receivedAt, 'hello');
    for (const half of ['high', 'low'] as const)
      old.raw(Int32Array.from(fingerprints, (fingerprint) => fingerprint[half]));
    old.raw(new Float64Array(2).fill(receivedAt));
    old.varint(0);
    const state = new DedupeState(1);
    state.restore(old.written());
    const again = new DedupeState(1);
    again.restore(state.checkpoint());
    for (const one of [state, again]) {
      expect([hasId(one, 'order'), hasText(one, 'hello')]).toEqual([true, true]);
      expect([hasId(one, 'hello'), hasText(one, 'order')]).toEqual([false, false]);
    }
  });
});

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
