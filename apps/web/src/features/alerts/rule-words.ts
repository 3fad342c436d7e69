import type { Evaluation, RuleCondition, RuleQuery } from '@nowcast/contract';
import { formatValue, type UnitName } from '../../units/format.ts';
import { chipsOf, describeMatcher } from '../board/matcher.ts';
import { aggChoices } from '../edit/choices.ts';

/** A rule in a line of words, for lists and for people who did not write it. */
const durationNames: Record<string, string> = {
  ms: 'ms',
  s: 's',
  m: 'min',
  h: 'h',
  d: 'd',
  w: 'weeks',
};

/** `5m` as `5 min`. */
export function durationInWords(text: string): string {
  const match = /^([\d.]+)(ms|s|m|h|d|w)$/.exec(text);
  return match === null ? text : `${match[1]}\u00a0${durationNames[match[2]!]}`;
}

const against = { previous: 'the window before', day: 'a day ago', week: 'a week ago' } as const;
const directions = { rises: 'rises by', falls: 'falls by', either: 'changes by' } as const;
const unusual = { above: 'is unusually high', below: 'is unusually low', either: 'is unusual' } as const;

function conditionInWords(condition: RuleCondition, unit: UnitName): string {
  switch (condition.kind) {
    case 'threshold': {
      const value = formatValue(condition.value, unit);
      if (condition.op === 'above' || condition.op === 'below') return `is ${condition.op} ${value}`;
      const upper = formatValue(condition.upper, unit);
      return condition.op === 'outside'
        ? `is outside ${value} to ${upper}`
        : `is between ${value} and ${upper}`;
    }
    case 'change': {
      const by = condition.unit === 'percent' ? `${condition.by}\u00a0%` : formatValue(condition.by, unit);
      return `${directions[condition.direction]} ${by} against ${against[condition.against]}`;
    }
    case 'anomaly':
      return unusual[condition.direction];
    case 'no_data':
      return 'sends nothing';
    case 'flapping':
      return `comes and goes ${condition.times} times`;
    default:
      return `${condition.mode === 'all' ? 'all' : 'any'} of ${condition.rule_ids.length} rules fire`;
  }
}

function whatInWords({ metric_type: metric, where }: RuleQuery): string {
  const filter = chipsOf(where).map(({ label, condition }) => describeMatcher(label, condition));
  return filter.length > 0 ? `${metric} where ${filter.join(' and ')}` : metric;
}

function queryInWords(query: RuleQuery): string {
  const agg = aggChoices.find((one) => one.value === query.agg)?.title ?? 'Value';
  return `${agg} of ${whatInWords(query)}`;
}

/** As it stands inside a sentence; `P95` and other names keep their capitals. */
function decapitalised(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** `Average of cpu_usage for each host is above 80 % over 1 min, for 2 min`. */
export function ruleInWords(evaluation: Evaluation, unit: UnitName): string {
  const { condition, query, divide_by: divisor, group_by: groups } = evaluation;
  const said = conditionInWords(condition, unit);
  const lasting = evaluation.for === '0s' ? '' : `, for ${durationInWords(evaluation.for)}`;
  if (condition.kind === 'composite' || query === undefined)
    return `${said.charAt(0).toUpperCase()}${said.slice(1)}${lasting}`;
  const window = durationInWords(evaluation.window);
  const each = groups.length > 0 ? [`for each ${groups.join(', ')}`] : [];
  // Whether points come, whatever they say: no aggregate is read.
  if (condition.kind === 'no_data' || condition.kind === 'flapping') {
    const span = condition.kind === 'no_data' ? `for ${window}` : `within ${window}`;
    return `${[whatInWords(query), ...each, said, span].join(' ')}${lasting}`;
  }
  const whole = divisor === undefined ? [] : [`divided by ${decapitalised(queryInWords(divisor))}`];
  return `${[queryInWords(query), ...whole, ...each, said, `over ${window}`].join(' ')}${lasting}`;
}
