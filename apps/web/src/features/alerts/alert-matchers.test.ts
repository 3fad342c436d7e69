import { describe, expect, it } from 'vitest';
import type { Rule, Where } from '@nowcast/contract';
import { alertsInWords, emptyRow, rowsOf, whereOf, withLabel } from './alert-matchers.ts';

describe('which alerts a setting is about', () => {
  const where: Where = {
    severity: ['warning', 'info'],
    host: { regex: 'web-.*' },
    region: { not: ['eu, west'] },
  };

  it('comes back from the form as it was, commas in values included', () => {
    expect(whereOf(rowsOf(where))).toEqual(where);
    expect(whereOf([])).toEqual({});
  });

  it('an unfinished row makes nothing of it all: without it, it would be about everything', () => {
    expect(whereOf([...rowsOf(where), emptyRow()])).toBeNull();
    expect(whereOf([{ ...emptyRow(), label: 'host' }])).toBeNull();
    expect(whereOf([{ ...emptyRow(), values: ['web-1'] }])).toBeNull();
  });

  it('two rows about one label must both hold', () => {
    const row = { ...emptyRow(), label: 'host', kind: 'regex' as const, pattern: 'web-.*' };
    const both = whereOf([row, { ...row, kind: 'not', values: ['web-9'] }]);
    expect(rowsOf(both!).map(({ label, kind }) => `${label} ${kind}`)).toEqual(['host regex', 'host not']);
  });

  it('values that were chosen do not become values that are typed', () => {
    const [row] = rowsOf({ severity: ['critical'] });
    expect(withLabel(row!, 'host').values).toEqual([]);
    const [typed] = rowsOf({ hos: ['web-1'] });
    expect(withLabel(typed!, 'host').values).toEqual(['web-1']);
  });

  it('rules are said by their names', () => {
    const rules = [{ rule_id: 'r1', name: 'CPU is high' }] as Rule[];
    expect(alertsInWords({ rule: ['r1'], host: ['a'] }, rules)).toBe('rule is CPU is high and host is a');
    expect(alertsInWords({}, rules)).toBe('every alert');
  });
});
