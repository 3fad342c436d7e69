import { mostGroups, type RuleEntry } from '@nowcast/alerts';
import type { EvaluatedRuleStatus } from '@nowcast/ports';

/** How a rule stands, and what keeps it from being evaluated, in words for its owner. */
export function statusOf(entry: RuleEntry, isKnown: (ruleId: string) => boolean): EvaluatedRuleStatus {
  const counts = { ok: 0, pending: 0, firing: 0, no_data: 0 };
  const active: string[] = [];
  for (const group of (entry.evaluator ?? entry.composite)!.groups.values()) {
    const { state } = group.machine;
    if (state === 'pending') counts.pending += 1;
    else if (state !== 'ok') counts.firing += 1;
    else if (entry.evaluator !== undefined && Number.isNaN(group.value)) counts.no_data += 1;
    else counts.ok += 1;
    if (group.episode !== '') active.push(group.episode);
  }
  return {
    tenant: entry.tenant,
    ruleId: entry.rule.rule_id,
    version: entry.rule.version,
    problem: problemOf(entry, isKnown),
    counts,
    activeAlerts: active,
  };
}

function problemOf(
  { plan, problem, evaluator, composite }: RuleEntry,
  isKnown: (ruleId: string) => boolean,
): string | undefined {
  if (problem !== undefined) return problem;
  const missing = composite?.ruleIds.find((ruleId) => !isKnown(ruleId));
  if (missing !== undefined)
    return 'one of the rules it is about was removed or is disabled; choose another, or enable it';
  if (evaluator === undefined) return undefined;
  if (evaluator.groups.size === 0) {
    const metrics = plan.queries.map(({ metricType }) => metricType).join(' and ');
    return `nothing of ${metrics} that matches was received lately; check the metric's name and the filter, or wait for its next point`;
  }
  return evaluator.leftOut === 0
    ? undefined
    : `it has more than ${mostGroups} groups and the rest is not watched; group by fewer labels, or filter`;
}
