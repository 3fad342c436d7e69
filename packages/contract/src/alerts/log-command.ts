import type { Evaluation } from './condition.ts';

/** A rule as the engine evaluates it: complete, with every default decided, so that a replay needs nothing else. */
export interface EvaluatedRule {
  rule_id: string;
  /** Grows with each change of what is evaluated. */
  version: number;
  evaluation: Evaluation;
}

/** What an alert record of the log says; see docs/alerts.md. */
export type AlertCommand = { type: 'rule'; rule: EvaluatedRule } | { type: 'remove'; rule_id: string };
