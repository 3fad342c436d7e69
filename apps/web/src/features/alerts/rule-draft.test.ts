import { panelSchema, ruleContentSchema, type MetricInfo, type Panel } from '@nowcast/contract';
import { describe, expect, it } from 'vitest';
import { panelView, type PanelView } from '../board/panel-query.ts';
import { fillTemplate, placeholdersOf } from './message-template.ts';
import {
  emptyRule,
  missingIn,
  ruleOfPanel,
  watchedBy,
  watching,
  withCondition,
  withMetric,
  withQuery,
} from './rule-draft.ts';
import { ruleInWords } from './rule-words.ts';

const metric = (rest: Partial<MetricInfo> = {}): MetricInfo => ({
  metric_type: 'cpu_usage',
  series: 3,
  last_timestamp: 0,
  last_value: 41,
  default_agg: 'avg',
  default_across: 'merge',
  labels: ['host'],
  ...rest,
});
const panel = (rest: Partial<Panel>): Panel => ({
  ...panelSchema.parse({
    visualization_id: 'p',
    title: 'CPU',
    metric_type: 'cpu_usage',
    chart_type: 'line',
    query: {},
    layout: { x: 0, y: 0, w: 4, h: 6 },
    display: {},
  }),
  ...rest,
});
const query = { agg: 'p95', across: 'merge', where: { region: ['eu'] } } as const;
const viewOf = (one: Panel): PanelView =>
  panelView(one, { kind: 'live', windowMs: 900_000 }, { variables: {}, where: {} }, metric(), 'UTC');
const shown = viewOf(panel({ query: { ...panel({}).query, agg: 'p95', where: { region: ['eu'] } } }));

describe('a new rule', () => {
  it('asks for what to watch first', () => {
    expect(missingIn(emptyRule())).toMatch(/Choose what to watch/);
  });

  it('of a metric is complete: it can be sent as it is', () => {
    const rule = withMetric(emptyRule(), metric());
    expect(missingIn(rule)).toBeNull();
    expect(ruleContentSchema.safeParse(rule).error).toBeUndefined();
    expect(rule.evaluation.condition).toEqual({ kind: 'threshold', op: 'above', value: 80 });
  });

  it('of a metric without a scale begins a quarter above what it is now', () => {
    const rule = withMetric(emptyRule(), metric({ metric_type: 'queue_depth', last_value: 1234 }));
    expect(rule.evaluation.condition).toMatchObject({ value: 1600 });
  });

  it('counts the points of a metric that is shown point by point', () => {
    expect(withMetric(emptyRule(), metric({ default_agg: 'none' })).evaluation.query?.agg).toBe('count');
  });

  it('keeps its name when another metric is chosen, and drops the labels of the first', () => {
    const named = { ...withMetric(emptyRule(), metric()), name: 'Mine' };
    const grouped = { ...named, evaluation: { ...named.evaluation, group_by: ['host'] } };
    const next = withMetric(grouped, metric({ metric_type: 'latency_ms', labels: ['path'] }));
    expect(next.name).toBe('Mine');
    expect(next.evaluation.group_by).toEqual([]);
  });

  it('whose upper limit is below the lower one says so', () => {
    const rule = withMetric(emptyRule(), metric());
    const condition = { kind: 'threshold', op: 'outside', value: 5, upper: 5 } as const;
    expect(missingIn({ ...rule, evaluation: { ...rule.evaluation, condition } })).toMatch(/upper limit/);
  });

  it('with a number that is being written is not complete, wherever it stands', () => {
    const rule = withMetric(emptyRule(), metric());
    const limit = { kind: 'threshold', op: 'above', value: Number.NaN } as const;
    const recovery = { ...limit, value: 5, recovery: Number.NaN };
    for (const condition of [limit, recovery]) {
      const draft = { ...rule, evaluation: { ...rule.evaluation, condition } };
      expect(missingIn(draft)).toBe('Enter the number that is missing.');
    }
    const flap = { ...rule.flap, changes: Number.NaN };
    expect(missingIn({ ...rule, flap })).toBe('Enter the number that is missing.');
  });
});

describe('a rule of a panel', () => {
  const withThresholds = (...thresholds: Panel['display']['thresholds']): Panel =>
    panel({ display: { ...panel({}).display, thresholds } });

  it('looks at what the panel shows and fires at its critical threshold', () => {
    const rule = ruleOfPanel(
      withThresholds({ value: 70, level: 'warn' }, { value: 90, level: 'crit' }),
      shown,
    );
    expect(rule.evaluation.query).toEqual({ metric_type: 'cpu_usage', ...query });
    expect(rule.evaluation.condition).toEqual({ kind: 'threshold', op: 'above', value: 90 });
    expect(rule.severity).toBe('critical');
    expect(ruleContentSchema.safeParse(rule).error).toBeUndefined();
  });

  it('is below where the critical threshold is the lower one', () => {
    const rule = ruleOfPanel(
      withThresholds({ value: 20, level: 'warn' }, { value: 5, level: 'crit' }),
      shown,
    );
    expect(rule.evaluation.condition).toEqual({ kind: 'threshold', op: 'below', value: 5 });
  });

  it('of amounts by the second fires where the panel draws its threshold, whatever the window', () => {
    const { display, query: asked } = panel({});
    const traffic = panel({
      metric_type: 'network_bytes_total',
      query: { ...asked, agg: 'increase' },
      display: { ...display, per_second: true, thresholds: [{ value: 100e6, level: 'crit' }] },
    });
    const { evaluation } = ruleOfPanel(traffic, viewOf(traffic));
    expect(evaluation).toMatchObject({ window: '1m', condition: { op: 'above', value: 6000e6 } });
    const plain = panel({ ...traffic, display: { ...traffic.display, per_second: false } });
    expect(ruleOfPanel(plain, viewOf(plain)).evaluation.condition).toMatchObject({ value: 100e6 });
  });
});

describe('a rule in words', () => {
  it('is one sentence', () => {
    const rule = ruleOfPanel(panel({}), shown);
    const evaluation = { ...rule.evaluation, group_by: ['host'], for: '2m' };
    expect(ruleInWords(evaluation, 'percent').replaceAll('\u00a0', ' ')).toBe(
      'p95 of cpu_usage where region is eu for each host is above 80 % over 1 min, for 2 min',
    );
  });
});

describe('what a rule watches', () => {
  const errors = withMetric(emptyRule(), metric({ metric_type: 'http_requests' }));

  it('a ratio begins as a part of the metric over all of it, and follows the metric', () => {
    const ratio = watching(errors, 'ratio');
    expect(watchedBy(ratio.evaluation)).toBe('ratio');
    expect(ratio).toMatchObject({
      unit: 'ratio',
      evaluation: {
        query: { metric_type: 'http_requests' },
        divide_by: { metric_type: 'http_requests', where: {} },
        condition: { kind: 'threshold', op: 'above', value: 0.05 },
      },
    });
    const moved = withMetric(ratio, metric({ metric_type: 'jobs' }));
    expect(moved.evaluation.divide_by?.metric_type).toBe('jobs');
    const { divide_by: divisor, ...rest } = moved.evaluation;
    const other = { ...moved, evaluation: { ...rest, divide_by: { ...divisor!, metric_type: 'cores' } } };
    expect(withMetric(other, metric({ metric_type: 'tasks' })).evaluation.divide_by?.metric_type).toBe(
      'cores',
    );
    expect(missingIn(watching(emptyRule(), 'ratio'))).toBe('Choose what to watch.');
  });

  it('another calculation has its own unit; a ratio, and a unit that was chosen, stay what they are', () => {
    const slow = withMetric(emptyRule(), metric({ metric_type: 'request_latency_ms' }));
    expect(slow.unit).toBe('milliseconds');
    const counted = { ...slow.evaluation.query!, agg: 'count' } as const;
    expect(withQuery(slow, counted)).toMatchObject({ unit: 'count', evaluation: { query: counted } });
    expect(withQuery({ ...slow, unit: 'seconds' }, counted).unit).toBe('seconds');
    expect(withQuery(watching(slow, 'ratio'), counted).unit).toBe('ratio');
    expect(withQuery(slow, { ...slow.evaluation.query!, where: { path: ['/'] } }).unit).toBe('milliseconds');
  });

  it('other rules read nothing themselves, and coming back begins with a limit', () => {
    const parts = watching(watching(errors, 'ratio'), 'rules');
    expect(parts.evaluation).not.toHaveProperty('query');
    expect(parts.evaluation).not.toHaveProperty('divide_by');
    const back = watching(parts, 'metric');
    expect(watchedBy(back.evaluation)).toBe('metric');
    expect(back.evaluation.condition.kind).toBe('threshold');
  });

  it('whether a source sends is not a ratio', () => {
    const silent = withCondition(watching(errors, 'ratio'), { kind: 'no_data' });
    expect(silent.evaluation).not.toHaveProperty('divide_by');
  });
});

describe('a message', () => {
  it('fills what the server fills, and leaves what it leaves', () => {
    const rule = {
      ...emptyRule(),
      name: 'CPU',
      labels: { team: 'ops' },
      message: '{{rule}} of {{ labels.team }} on {{labels.host}}{{labels.none}}: {{value}} {{nonsense}}',
    };
    const grouped = { ...rule, evaluation: { ...rule.evaluation, group_by: ['host'] } };
    expect(fillTemplate(grouped, (value) => `${value} %`)).toBe('CPU of ops on host-1: 1.2 % {{nonsense}}');
    expect(placeholdersOf(grouped)).toContain('labels.host');
  });
});
