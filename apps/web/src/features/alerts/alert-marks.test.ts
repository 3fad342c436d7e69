import type { Alert } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { clusterMarks, marksOf, periodsOf } from './alert-marks.ts';

function alert(id: string, more: Partial<Alert> = {}): Alert {
  return {
    alert_id: id,
    rule_id: 'r',
    rule_name: 'CPU high',
    severity: 'critical',
    labels: { host: 'a' },
    state: 'firing',
    flapping: false,
    muted_by: null,
    since: 1,
    fired_at: 2,
    acknowledged_at: null,
    acknowledged_by: null,
    snoozed_until: null,
    resolved_at: null,
    value: 95,
    limit: 90,
    message: '',
    runbook_url: '',
    metric_type: 'cpu',
    ...more,
  };
}

test('an alert leaves a mark for each thing that happened to it, in the order of time', () => {
  const taken = alert('a', { acknowledged_at: 5, acknowledged_by: 'Ada', resolved_at: 9, state: 'resolved' });
  const other = alert('b', { fired_at: 4, labels: {} });
  expect(marksOf([taken, other]).map(({ at, kind, text }) => [at, kind, text])).toEqual([
    [2, 'fires', 'CPU high fires · host a'],
    [4, 'fires', 'CPU high fires'],
    [5, 'taken', 'CPU high acknowledged by Ada · host a'],
    [9, 'over', 'CPU high is over · host a'],
  ]);
});

test('what waits or never fired leaves none', () => {
  const pending = alert('a', { state: 'pending', fired_at: null });
  expect(marksOf([pending])).toEqual([]);
  expect(periodsOf([pending])).toEqual([]);
});

test('times of one severity are drawn once, however many alerts share them', () => {
  const over = (from: number, to: number | null, severity: Alert['severity'] = 'critical'): Alert =>
    alert(`${from}`, { fired_at: from, resolved_at: to, severity });
  expect(
    periodsOf([over(10, 12), over(1, 4), over(3, 6), over(2, 3), over(5, 5), over(2, 9, 'warning')]),
  ).toEqual([
    { severity: 'warning', from: 2, to: 9 },
    { severity: 'critical', from: 1, to: 6 },
    { severity: 'critical', from: 10, to: 12 },
  ]);
  expect(periodsOf([over(1, null), over(2, 3), over(8, 9)])).toEqual([
    { severity: 'critical', from: 1, to: null },
  ]);
});

test('marks closer than a finger are one, counted from the first of them', () => {
  const groups = clusterMarks(
    [0, 10, 25, 26, 90].map((x) => ({ x })),
    26,
  );
  expect(groups.map((group) => group.map(({ x }) => x))).toEqual([[0, 10, 25], [26], [90]]);
});
