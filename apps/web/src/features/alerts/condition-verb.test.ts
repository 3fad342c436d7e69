import type { RuleCondition } from '@nowcast/contract';
import { ruleConditionSchema } from '@nowcast/contract';
import { describe, expect, it } from 'vitest';
import { verbOf, verbs, withVerb } from './condition-verb.ts';

const above: RuleCondition = { kind: 'threshold', op: 'above', value: 80 };

describe('the verb of a condition', () => {
  it.each(verbs.map(({ value }) => value))('“%s” makes a valid condition that reads as itself', (verb) => {
    const condition = withVerb(above, verb);
    expect(verbOf(condition)).toBe(verb);
    expect(ruleConditionSchema.safeParse(condition).success).toBe(true);
  });

  it('keeps the limit when only the direction changes, and forgets a recovery limit of the other side', () => {
    expect(withVerb({ ...above, recovery: 70 }, 'below')).toEqual({
      kind: 'threshold',
      op: 'below',
      value: 80,
    });
  });

  it('keeps both limits between outside and inside, and puts a new upper one above the lower', () => {
    const outside = withVerb({ kind: 'threshold', op: 'above', value: -4 }, 'outside');
    expect(outside).toEqual({ kind: 'threshold', op: 'outside', value: -4, upper: -2 });
    expect(withVerb(outside, 'inside')).toMatchObject({ value: -4, upper: -2 });
  });

  it('keeps the amount and what is compared with between rises, falls and changes', () => {
    const rises: RuleCondition = {
      kind: 'change',
      direction: 'rises',
      by: 7,
      unit: 'value',
      against: 'week',
    };
    expect(withVerb(rises, 'changes')).toEqual({ ...rises, direction: 'either' });
  });

  it('of other rules is no choice among the verbs, and keeps its rules', () => {
    const composite: RuleCondition = { kind: 'composite', mode: 'any', rule_ids: ['a'] };
    expect(verbOf(composite)).toBe('rules');
    expect(withVerb(composite, 'rules')).toBe(composite);
  });
});
