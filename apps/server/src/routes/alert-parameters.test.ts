import { isAppError } from '@nowcast/kernel';
import { describe, expect, test } from 'vitest';
import { readAlertFilter, readInboxFilter, readLabelTest, readTransitionFilter } from './alert-parameters.ts';

const query = (text: string) => new URLSearchParams(text);
const now = Date.UTC(2026, 0, 2);

describe('which alerts', () => {
  test('without a word those that are not over', () => {
    expect(readAlertFilter(query(''), now)).toEqual({
      states: ['pending', 'firing', 'acknowledged'],
      ruleIds: undefined,
      search: undefined,
      limit: 50,
      cursor: undefined,
    });
  });

  test('several states, each once, of two rules, a page on', () => {
    expect(
      readAlertFilter(query('state=firing,active,resolved&rule_id=r,s&limit=500&cursor=c&search=x'), now),
    ).toEqual({
      states: ['firing', 'pending', 'acknowledged', 'resolved'],
      ruleIds: ['r', 's'],
      search: 'x',
      limit: 500,
      cursor: 'c',
    });
  });

  test('of a metric, of some severities, with labels, not well at some moment of a range', () => {
    const text = 'metric_type=cpu&severity=warning,critical&where=host:a&from=now-1h';
    const { accepts, ...rest } = readAlertFilter(query(text), now);
    expect(rest).toMatchObject({
      metricType: 'cpu',
      severities: ['warning', 'critical'],
      during: { from: now - 3_600_000, to: now },
    });
    expect([accepts?.({ host: 'a' }), accepts?.({})]).toEqual([true, false]);
    expect(readAlertFilter(query(`to=${now - 5}`), now).during).toEqual({ from: 0, to: now - 5 });
  });
});

test('which notifications', () => {
  expect(readInboxFilter(query('unread=true&severity=critical&limit=1'))).toMatchObject({
    unread: true,
    severity: 'critical',
    limit: 1,
  });
  expect(readInboxFilter(query(''))).toMatchObject({ unread: undefined, severity: undefined });
});

test('which transitions: a day back unless said otherwise', () => {
  expect(readTransitionFilter(query(''), now)).toMatchObject({ from: now - 86_400_000, to: now });
  const given = query(`from=${now - 5}&to=2026-01-02T00:00:00Z&metric_type=cpu`);
  expect(readTransitionFilter(given, now)).toEqual({
    metric_type: 'cpu',
    rule_id: undefined,
    from: now - 5,
    to: now,
  });
});

test('conditions on labels: all must hold, and a label that is missing is empty', () => {
  const matches = readLabelTest(query('where=host:a|b&where=host:!b&where=region:'));
  expect(matches({ host: 'a' })).toBe(true);
  expect(matches({ host: 'b' })).toBe(false);
  expect(matches({ host: 'a', region: 'eu' })).toBe(false);
  expect(readLabelTest(query('where=constructor:~.%2B'))({})).toBe(false);
  expect(readLabelTest(query(''))({})).toBe(true);
});

describe('what is wrong is named, with what to write instead', () => {
  test.each([
    ['state=open', /write active, or some of pending/],
    ['state=firing,', /write active/],
    ['state=active,open', /write active/],
    ['severity=warning,bad', /write info, warning, critical/],
    ['from=now&to=now-1h', /from must be before to/],
    ['where=x', /write label:value/],
    ['limit=0', /a number from 1 to 500/],
    ['limit=501', /a number from 1 to 500/],
    ['tab=firing', /"tab" is not a parameter here/],
    [`cursor=${'x'.repeat(257)}`, /at most 256 characters/],
  ])('alerts?%s', (text, words) => {
    expect(() => readAlertFilter(query(text), now)).toThrow(words);
  });

  test.each([
    ['unread=yes', /write true or false/],
    ['severity=bad', /write info, warning, critical/],
  ])('notifications?%s', (text, words) => {
    expect(() => readInboxFilter(query(text))).toThrow(words);
  });

  test.each(['from=yesterday', 'from=9007199254740992', 'from=now&to=now-1h', 'where=x', 'until=now'])(
    'transitions?%s',
    (text) => {
      const read = () => [readTransitionFilter(query(text), now), readLabelTest(query(text))];
      const thrown = (() => {
        try {
          return read();
        } catch (error) {
          return error;
        }
      })();
      expect(isAppError(thrown)).toBe(true);
    },
  );
});
