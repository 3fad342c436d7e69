export { HistoryRun } from './evaluate/history-run.ts';
export { noPause, type Pause } from './evaluate/pause.ts';
export { checkRule, coarser, planRule, type PlannedQuery, type RulePlan } from './evaluate/plan.ts';
export { type Decision, noUnit, RuleEvaluator } from './evaluate/rule-evaluator.ts';
export { mostGroups } from './evaluate/rule-groups.ts';
export { type Moment, type RuleEntry, RuleSet } from './evaluate/rule-set.ts';
export { FoldedRun, type WindowRun } from './evaluate/folded-run.ts';
export { AlertService } from './notify/alert-service.ts';
export { hiddenReason } from './notify/failure-reasons.ts';
