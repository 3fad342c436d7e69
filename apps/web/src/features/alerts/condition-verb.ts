import type { RuleCondition } from '@nowcast/contract';

/**
 * A condition as the verb of a sentence. People choose "is above" or "is unusually high", not a kind and then an
 * operator; what both verbs have in common (the limit, the amount) is kept when the verb changes.
 */
export const verbs = [
  { value: 'above', title: 'is above' },
  { value: 'below', title: 'is below' },
  { value: 'outside', title: 'is outside' },
  { value: 'inside', title: 'is between' },
  { value: 'rises', title: 'rises by' },
  { value: 'falls', title: 'falls by' },
  { value: 'changes', title: 'changes by' },
  { value: 'unusual_above', title: 'is unusually high' },
  { value: 'unusual_below', title: 'is unusually low' },
  { value: 'unusual', title: 'is unusual' },
  { value: 'no_data', title: 'sends nothing' },
  { value: 'flapping', title: 'comes and goes' },
] as const;
export type Verb = (typeof verbs)[number]['value'] | 'rules';

export function verbOf(condition: RuleCondition): Verb {
  switch (condition.kind) {
    case 'threshold':
      return condition.op;
    case 'change':
      return condition.direction === 'either' ? 'changes' : condition.direction;
    case 'anomaly':
      return condition.direction === 'either' ? 'unusual' : `unusual_${condition.direction}`;
    case 'composite':
      return 'rules';
    default:
      return condition.kind;
  }
}

/** The lower limit that a condition names, or a start for one that names none. */
function limitOf(condition: RuleCondition): number {
  return condition.kind === 'threshold' ? condition.value : 1;
}

function threshold(op: 'above' | 'below' | 'outside' | 'inside', old: RuleCondition): RuleCondition {
  const value = limitOf(old);
  if (op === 'above' || op === 'below') return { kind: 'threshold', op, value };
  const upper = old.kind === 'threshold' ? old.upper : undefined;
  return { kind: 'threshold', op, value, upper: upper ?? value + Math.max(1, Math.abs(value) * 0.5) };
}

function change(direction: 'rises' | 'falls' | 'either', old: RuleCondition): RuleCondition {
  const { by, unit, against } =
    old.kind === 'change' ? old : ({ by: 50, unit: 'percent', against: 'previous' } as const);
  return { kind: 'change', direction, by, unit, against };
}

function anomaly(direction: 'above' | 'below' | 'either', old: RuleCondition): RuleCondition {
  return { kind: 'anomaly', direction, sensitivity: old.kind === 'anomaly' ? old.sensitivity : 'medium' };
}

export function withVerb(old: RuleCondition, verb: Verb): RuleCondition {
  switch (verb) {
    case 'above':
    case 'below':
    case 'outside':
    case 'inside':
      return threshold(verb, old);
    case 'rises':
    case 'falls':
      return change(verb, old);
    case 'changes':
      return change('either', old);
    case 'unusual_above':
      return anomaly('above', old);
    case 'unusual_below':
      return anomaly('below', old);
    case 'unusual':
      return anomaly('either', old);
    case 'no_data':
      return { kind: 'no_data' };
    case 'flapping':
      return { kind: 'flapping', times: 3 };
    default:
      return old.kind === 'composite' ? old : { kind: 'composite', mode: 'all', rule_ids: [] };
  }
}
