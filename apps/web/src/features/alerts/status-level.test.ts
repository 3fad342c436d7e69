import type { Alert } from '@nowcast/contract';
import { expect, test } from 'vitest';
import type { StoredSeries } from '../../live/stored-series.ts';
import { alertsOfGroup, groupsOnlyInAlerts, levelOfAlert, worseOf } from './status-level.ts';

type Known = Pick<Alert, 'labels' | 'metric_type' | 'state' | 'severity'>;
const about = (labels: Record<string, string>, more: Partial<Known> = {}): Alert =>
  ({ labels, metric_type: 'cpu', state: 'firing', severity: 'warning', ...more }) as Alert;

const series = (host: string, t: number[], v: (number | null)[] = t): StoredSeries => ({
  key: 1,
  labels: { host },
  name: host,
  slot: 0,
  t,
  v,
});

test('a group has the alerts that name it, of any metric; a panel without groups those of its metric', () => {
  const alerts = [about({ host: 'a' }, { metric_type: 'disk' }), about({ host: 'b' }), about({})];
  expect(alertsOfGroup(alerts, { host: 'a' }, 'cpu')).toEqual([alerts[0]]);
  expect(alertsOfGroup(alerts, {}, 'cpu')).toEqual([alerts[1], alerts[2]]);
  expect(alertsOfGroup([about({})], { constructor: 'a' }, 'cpu')).toEqual([]);
});

test('a group that sends nothing any more stays as long as an alert of the metric names it', () => {
  const alerts = [
    about({ host: 'a' }),
    about({ host: 'b', dc: 'x' }),
    about({ host: 'c' }, { metric_type: 'disk' }),
  ];
  expect(groupsOnlyInAlerts(alerts, ['host'], 'cpu', [series('a', [1])])).toEqual([{ host: 'b' }]);
  expect(groupsOnlyInAlerts(alerts, [], 'cpu', [])).toEqual([]);
});

test('the worst counts: what fires before what is silent, and that before what somebody has taken', () => {
  expect(levelOfAlert(undefined)).toBe('ok');
  expect(levelOfAlert(about({}, { state: 'acknowledged', severity: 'critical' }))).toBe('taken');
  expect(worseOf('nodata', levelOfAlert(about({})))).toBe('warn');
  expect(worseOf('nodata', 'taken')).toBe('nodata');
});
