export { planRule, type PlannedQuery, type RulePlan } from './evaluate/plan.ts';
export { mostGroups, RuleEvaluator } from './evaluate/rule-evaluator.ts';
export { type Moment, type RuleEntry, RuleSet } from './evaluate/rule-set.ts';
export type { WindowRun } from './evaluate/sliding-window.ts';
