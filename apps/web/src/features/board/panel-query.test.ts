import { describe, expect, it } from 'vitest';
import type { MetricInfo, Panel } from '@nowcast/contract';
import { readBoardSearch } from './board-search.ts';
import { makeMatcher, withCondition } from './change-filter.ts';
import { chipsOf, describeMatcher, kindOf, withoutChip } from './matcher.ts';
import { dataParameters, panelView } from './panel-query.ts';

const panel: Panel = {
  visualization_id: 'p',
  title: 'CPU',
  metric_type: 'cpu',
  chart_type: 'line',
  query: { group_by: ['host'], where: { mode: ['user'] } },
  layout: { x: 0, y: 0, w: 6, h: 8 },
  display: { unit: 'percent', legend: 'list', thresholds: [], connect_gaps: false },
};
const metric: MetricInfo = {
  metric_type: 'cpu',
  series: 3,
  last_timestamp: 0,
  last_value: 0,
  default_agg: 'p95',
  default_across: 'sum',
  labels: ['host', 'mode'],
};
const live = { kind: 'live', windowMs: 900_000 } as const;
const past = { kind: 'fixed', from: 1000.4, to: 2000 } as const;
const none = { variables: {}, where: {} };

describe('the live view behind a panel', () => {
  it('takes the defaults that fit the metric and limits the groups', () => {
    const { query, agg, windowMs } = panelView(panel, live, none, metric, 'UTC');
    expect(query).toMatchObject({ agg: 'p95', across: 'sum', window: '15m', limit: 20, tz: 'UTC' });
    expect(query).not.toHaveProperty('from');
    expect([agg, windowMs]).toEqual(['p95', 900_000]);
  });

  it('of a metric that is not known yet drops no filter', () => {
    const filter = { variables: { region: ['eu'] }, where: { shop: ['north'] } };
    const { query } = panelView(panel, live, filter, undefined, 'UTC');
    expect(query.where).toEqual({ mode: ['user'], region: ['eu'], shop: ['north'] });
  });

  it('is narrowed by variables and filters that concern it, and by no others', () => {
    const filter = {
      variables: { host: ['a'], region: ['eu'], mode: [] },
      where: { source: { not: ['x'] }, shop: ['north'] },
    };
    const { query } = panelView(panel, live, filter, metric, 'UTC');
    expect(query.where).toEqual({ mode: ['user'], host: ['a'], source: { not: ['x'] } });
  });

  it('shows only what its own filter, the variables and every chip of a label let through', () => {
    const filter = {
      variables: { mode: ['user', 'idle'], host: ['a'] },
      where: { mode: { all: [{ not: ['idle'] }, { regex: 'u.*' }] }, host: { not: ['b'] } },
    };
    expect(panelView(panel, live, filter, metric, 'UTC').query.where).toEqual({
      mode: { all: [['user'], ['user', 'idle'], { not: ['idle'] }, { regex: 'u.*' }] },
      host: { all: [['a'], { not: ['b'] }] },
    });
  });

  it('keeps its own window while live and follows the board into the past', () => {
    const own: Panel = { ...panel, query: { ...panel.query, window: '1h' } };
    expect(panelView(own, live, none, metric, 'UTC').query.window).toBe('1h');
    const { query } = panelView(own, past, none, metric, 'UTC');
    expect(query).toMatchObject({ from: 1000, to: 2000 });
    expect(query).not.toHaveProperty('window');
  });

  it('asks for records where messages are shown', () => {
    const feed: Panel = { ...panel, chart_type: 'feed' };
    expect(panelView(feed, live, none, metric, 'UTC').query).toMatchObject({
      agg: 'none',
      group_by: [],
      limit: 200,
    });
  });

  it('becomes the parameters of GET /data, signs escaped', () => {
    const { query } = panelView(
      panel,
      live,
      { variables: {}, where: { host: ['a|b', 'c:d'], mode: { regex: 'u.*' } } },
      metric,
      'UTC',
    );
    const parameters = dataParameters(query, { from: 1, to: 2 });
    expect(parameters.getAll('where')).toEqual(['mode:user', 'mode:~u.*', String.raw`host:a\|b|c\:d`]);
    expect(parameters.get('group_by')).toBe('host');
    expect(parameters.get('from')).toBe('1');
  });
});

describe('filters', () => {
  it('are made, named and read back in all four kinds', () => {
    for (const kind of ['is', 'not', 'regex', 'not_regex'] as const) {
      expect(kindOf(makeMatcher(kind, ['v'], 'v.*')!)).toBe(kind);
      expect(makeMatcher(kind, [], '')).toBeNull();
    }
    expect(describeMatcher('host', ['a', 'b'])).toBe('host is one of a, b');
    expect(describeMatcher('host', { not: ['a', ''] })).toBe('host is not a, (empty)');
    expect(describeMatcher('host', { not_regex: 'w.*' })).toBe('host does not match w.*');
  });

  it('are chips, one for each condition, changed and removed one by one', () => {
    const first = withCondition({}, undefined, 'host', { regex: 'web-.*' });
    const second = withCondition(first.where, undefined, 'host', { not: ['web-3'] });
    expect(second).toEqual({
      where: { host: { all: [{ regex: 'web-.*' }, { not: ['web-3'] }] } },
      chip: { label: 'host', at: 1 },
    });
    const changed = withCondition(second.where, second.chip, 'host', { not: ['web-3', 'web-4'] }).where;
    expect(chipsOf(changed)).toEqual([
      { label: 'host', at: 0, condition: { regex: 'web-.*' } },
      { label: 'host', at: 1, condition: { not: ['web-3', 'web-4'] } },
    ]);
    expect(withoutChip(changed, { label: 'host', at: 0 })).toEqual({ host: { not: ['web-3', 'web-4'] } });
    expect(withCondition(changed, { label: 'host', at: 1 }, 'mode', ['user']).where).toEqual({
      host: { regex: 'web-.*' },
      mode: ['user'],
    });
    expect(withoutChip(first.where, first.chip!)).toEqual({});
    const none = withCondition(changed, { label: 'host', at: 0 }, 'mode', null);
    expect(none).toEqual({ where: { host: { not: ['web-3', 'web-4'] } }, chip: undefined });
    expect(withCondition(changed, undefined, 'mode', null).where).toBe(changed);
  });
});

describe('the address of a board', () => {
  it('keeps what is understood and drops the rest', () => {
    const raw = {
      from: 'now-6h',
      to: { evil: 1 },
      vars: { host: ['a'] },
      where: { mode: { regex: 'u.*' } },
      panel: 'p1',
      edit: true,
      other: 1,
    };
    expect(readBoardSearch(raw)).toEqual({
      from: 'now-6h',
      vars: { host: ['a'] },
      where: { mode: { regex: 'u.*' } },
      panel: 'p1',
      edit: true,
    });
    expect(readBoardSearch({ vars: { host: 'a' }, where: { mode: { like: 'u' } }, edit: 'no' })).toEqual({});
  });
});
