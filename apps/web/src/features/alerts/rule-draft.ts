import {
  defaultsFor,
  parseDuration,
  titleOf,
  unitFor,
  type Agg,
  type Evaluation,
  type MetricInfo,
  type Panel,
  type Rule,
  type RuleCondition,
  type RuleContent,
  type RuleQuery,
} from '@nowcast/contract';
import { lacksNumber } from '../../ui/number-text.ts';
import type { UnitName } from '../../units/format.ts';
import type { PanelView } from '../board/panel-query.ts';
import { asShown } from '../board/per-second.ts';
import { unitWithAgg } from '../edit/unit-with-agg.ts';

/** A rule while it is written: what `RuleContent` holds, before anything of it is sent. */
const evaluationDefaults: Omit<Evaluation, 'condition' | 'query'> = {
  group_by: [],
  window: '1m',
  for: '0s',
  keep_firing_for: '0s',
  delay: '0s',
  lateness: '1m',
  no_data: 'keep',
};

export function emptyRule(): RuleContent {
  return {
    name: '',
    description: '',
    enabled: true,
    severity: 'warning',
    evaluation: { ...evaluationDefaults, condition: { kind: 'threshold', op: 'above', value: 1 } },
    message: '',
    runbook_url: '',
    labels: {},
    unit: 'none',
    flap: { changes: 6, within: '15m' },
    notify: { targets: [], group_by: [], group_wait: '0s', escalate: [], resolved: true },
  };
}

/** Two significant digits, rounded up: a limit that people would choose themselves. */
function roundedUp(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size)) return 1;
  const power = 10 ** (Math.floor(Math.log10(size)) - 1);
  return Number((Math.ceil(value / power) * power).toPrecision(2));
}

/** Where the line stands at first: 80 % of what is a share, otherwise well above what it is now. */
function suggestedLimit(unit: UnitName, last: number): number {
  if (unit === 'percent') return 80;
  if (unit === 'ratio') return 0.8;
  return last > 0 ? roundedUp(last * 1.25) : 1;
}

/** An aggregate a rule can compare: `none` is no number. */
function numberAgg(agg: Agg): NonNullable<RuleQuery['agg']> {
  return agg === 'none' ? 'count' : agg;
}

/** `rule` watching `metric` from now on: what was chosen for another metric's labels goes. */
export function withMetric(rule: RuleContent, metric: MetricInfo): RuleContent {
  const agg = numberAgg(metric.default_agg);
  const unit = unitFor(metric.metric_type, agg);
  const { evaluation } = rule;
  const { condition, divide_by: divisor } = evaluation;
  const query: RuleQuery = { metric_type: metric.metric_type, agg, across: metric.default_across, where: {} };
  if (divisor !== undefined) {
    // Most ratios are a part of a metric over all of it.
    const wasWhole = divisor.metric_type === '' || divisor.metric_type === evaluation.query?.metric_type;
    const divideBy = wasWhole ? query : divisor;
    const name = rule.name === '' ? `${titleOf(metric.metric_type)} ratio` : rule.name;
    return { ...rule, name, evaluation: { ...evaluation, query, divide_by: divideBy, group_by: [] } };
  }
  return {
    ...rule,
    unit,
    name: rule.name === '' ? titleOf(metric.metric_type) : rule.name,
    evaluation: {
      ...evaluation,
      query,
      group_by: [],
      condition:
        condition.kind === 'threshold'
          ? { kind: 'threshold', op: 'above', value: suggestedLimit(unit, metric.last_value) }
          : condition,
    },
  };
}

/** `rule` asking otherwise of the metric it watches. */
export function withQuery(rule: RuleContent, query: RuleQuery): RuleContent {
  const { divide_by: divisor, query: before } = rule.evaluation;
  const agg = before?.agg ?? 'avg';
  const unit =
    divisor === undefined ? unitWithAgg(rule.unit, query.metric_type, agg, query.agg ?? 'avg') : rule.unit;
  return { ...rule, unit, evaluation: { ...rule.evaluation, query } };
}

/** What a rule watches: a metric, how much of one metric another is, or what other rules say. */
export type Watched = 'metric' | 'ratio' | 'rules';

export function watchedBy({ condition, divide_by: divisor }: Evaluation): Watched {
  if (condition.kind === 'composite') return 'rules';
  return divisor === undefined ? 'metric' : 'ratio';
}

/** `rule` watching something of another kind; what was chosen is kept where it still means something. */
export function watching(rule: RuleContent, watched: Watched): RuleContent {
  const { query, divide_by: _, ...evaluation } = rule.evaluation;
  const { condition } = evaluation;
  if (watched === 'rules') {
    const parts: RuleCondition = { kind: 'composite', mode: 'all', rule_ids: [] };
    return { ...rule, evaluation: { ...evaluation, condition: parts } };
  }
  const read = query === undefined ? {} : { query };
  if (watched === 'ratio') {
    const { metric_type, agg, across }: RuleQuery = query ?? { metric_type: '', across: 'merge', where: {} };
    const divisor: RuleQuery = { metric_type, ...(agg === undefined ? {} : { agg }), across, where: {} };
    const share: RuleCondition = { kind: 'threshold', op: 'above', value: 0.05 };
    return {
      ...rule,
      unit: 'ratio',
      evaluation: { ...evaluation, ...read, divide_by: divisor, condition: share },
    };
  }
  const isOther = condition.kind === 'composite' || rule.evaluation.divide_by !== undefined;
  const unit = query === undefined ? 'none' : unitFor(query.metric_type, query.agg ?? 'avg');
  return {
    ...rule,
    ...(isOther ? { unit } : {}),
    evaluation: {
      ...evaluation,
      ...read,
      condition: isOther ? { kind: 'threshold', op: 'above', value: suggestedLimit(unit, 0) } : condition,
    },
  };
}

/** `rule` with another condition; what the new one cannot have goes: whether a source sends is not a ratio. */
export function withCondition(rule: RuleContent, condition: RuleCondition): RuleContent {
  const { divide_by: divisor, ...evaluation } = rule.evaluation;
  const isRatio = divisor !== undefined && condition.kind !== 'no_data' && condition.kind !== 'flapping';
  return {
    ...rule,
    evaluation: { ...evaluation, ...(isRatio ? { divide_by: divisor } : {}), condition },
  };
}

/**
 * The worst threshold of a panel becomes the rule's limit; a warning above the critical value means that low is bad.
 * Where the panel shows amounts by the second, the limit is the amount of a window that is as much a second.
 */
export function ruleOfPanel(panel: Panel, view: PanelView): RuleContent {
  const { thresholds } = panel.display;
  const limit = thresholds.find((one) => one.level === 'crit') ?? thresholds[0];
  const other = thresholds.find((one) => one !== limit);
  const isLow = limit !== undefined && other !== undefined && limit.value < other.value;
  const unit = panel.display.unit === 'none' ? defaultsFor(panel.metric_type).unit : panel.display.unit;
  const rule = emptyRule();
  const scale = asShown(panel, view).perSecond ? parseDuration(rule.evaluation.window) / 1000 : 1;
  return {
    ...rule,
    name: panel.title.slice(0, 120),
    unit,
    severity: limit?.level === 'crit' ? 'critical' : 'warning',
    evaluation: {
      ...rule.evaluation,
      query: {
        metric_type: panel.metric_type,
        agg: numberAgg(view.agg),
        across: view.query.across ?? 'merge',
        where: view.query.where ?? {},
      },
      group_by: panel.query.group_by.slice(0, 8),
      condition: {
        kind: 'threshold',
        op: isLow ? 'below' : 'above',
        value: limit === undefined ? suggestedLimit(unit, 0) : limit.value * scale,
      },
    },
  };
}

/** What of a stored rule can be saved again. */
export function contentOf(rule: Rule): RuleContent {
  const {
    name,
    description,
    enabled,
    severity,
    evaluation,
    message,
    runbook_url,
    labels,
    unit,
    flap,
    notify,
  } = rule;
  return {
    name,
    description,
    enabled,
    severity,
    evaluation,
    message,
    runbook_url,
    labels,
    unit,
    flap,
    notify,
  };
}

/** What the rule does not know to watch, in words; null: it knows. */
export function unwatchedIn({ condition, query, divide_by: divisor }: Evaluation): string | null {
  if (condition.kind === 'composite')
    return condition.rule_ids.length === 0 ? 'Choose the rules it is made of.' : null;
  if (query === undefined || query.metric_type === '') return 'Choose what to watch.';
  return divisor?.metric_type === '' ? 'Choose what to divide by.' : null;
}

/** What is missing before the rule can be computed, in words; null when nothing is. */
export function missingIn({ evaluation, flap }: Pick<RuleContent, 'evaluation' | 'flap'>): string | null {
  const unwatched = unwatchedIn(evaluation);
  if (unwatched !== null) return unwatched;
  const { condition } = evaluation;
  if (lacksNumber(condition) || lacksNumber(flap)) return 'Enter the number that is missing.';
  if (condition.kind !== 'threshold' || condition.upper === undefined) return null;
  return condition.upper > condition.value ? null : 'The upper limit must be above the lower one.';
}
