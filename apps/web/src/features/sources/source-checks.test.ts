import type { SourceStatus } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { checksOf } from './source-checks.ts';

const nowMs = 1_700_000_000_000;
const address = 'https://now.example.com';
const silent: SourceStatus = {
  key_id: 'k',
  accepted: 0,
  rejected: 0,
  first_seen_at: null,
  last_seen_at: null,
  last_error: null,
  first_sample: null,
  sample: null,
  metrics: [],
};
const pointAt = (timestamp: number): SourceStatus => {
  const sample = {
    data_id: '',
    source: '',
    timestamp,
    metric_type: 'm',
    value: 1,
    labels: {},
    received_at: nowMs,
  };
  return {
    ...silent,
    accepted: 1,
    first_seen_at: nowMs,
    last_seen_at: nowMs,
    first_sample: sample,
    sample,
    metrics: ['m'],
  };
};
const states = (status: SourceStatus | null, lastUsedAt: number | null = null) =>
  checksOf(status, { lastUsedAt, nowMs: nowMs + 5000, address }).map((check) => check.state);

test('a key that nobody used is the first thing to look at, with the address to reach', () => {
  expect(states(null)).toEqual(['warn', 'unknown', 'unknown']);
  expect(states(silent)).toEqual(['warn', 'unknown', 'unknown']);
  expect(checksOf(silent, { lastUsedAt: null, nowMs, address })[0]!.answer).toContain(address);
});

test('a refusal proves that the key was used, and says why', () => {
  const refused = {
    ...silent,
    rejected: 1,
    last_error: { code: 'request.invalid', message: 'the metric_type is missing', at: nowMs },
  };
  expect(states(refused)).toEqual(['ok', 'crit', 'unknown']);
  expect(checksOf(refused, { lastUsedAt: null, nowMs, address })[1]!.answer).toContain('metric_type');
});

test('a refused timestamp is a matter of the clock too', () => {
  const message = "the timestamp is 7200 s ahead of the server's clock";
  const refused = { ...silent, rejected: 1, last_error: { code: 'request.invalid', message, at: nowMs } };
  expect(states(refused, nowMs)).toEqual(['ok', 'crit', 'crit']);
});

test('a refusal that only names timestamps among others says nothing of the clock', () => {
  const message = 'a point has no member "valu"; use metric_type, value, timestamp';
  const refused = { ...silent, rejected: 1, last_error: { code: 'request.invalid', message, at: nowMs } };
  expect(states(refused)).toEqual(['ok', 'crit', 'unknown']);
});

test('what was refused before the newest point is told, but is no longer the trouble', () => {
  const message = "the timestamp is 7200 s ahead of the server's clock";
  const mended = { ...pointAt(nowMs), last_error: { code: 'request.invalid', message, at: nowMs - 1 } };
  expect(states(mended)).toEqual(['ok', 'warn', 'ok']);
});

test('points of now are fine; points of another time are told apart, ahead and behind', () => {
  expect(states(pointAt(nowMs))).toEqual(['ok', 'ok', 'ok']);
  for (const [shift, words] of [
    [-3 * 3_600_000, '3\u00a0h behind'],
    [120_000, '2\u00a0min ahead of'],
  ] as const) {
    const [, , clock] = checksOf(pointAt(nowMs + shift), { lastUsedAt: null, nowMs, address });
    expect([clock!.state, clock!.answer]).toEqual(['warn', expect.stringContaining(words)]);
  }
});
