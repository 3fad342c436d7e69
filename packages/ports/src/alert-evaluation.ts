import type { Evaluation, EvaluatedRule, RulePreview, Transition } from '@nowcast/contract';
import type { Unsubscribe } from '@nowcast/kernel';

/**
 * Evaluates the rules of all tenants where their data is. Embedded it is the engine's thread; in the cluster mode the
 * shard that owns a rule merges the partial states of all partitions.
 *
 * Transitions are a function of the log alone. They are delivered in order, at least once: whatever `confirm` has not
 * named is delivered again after a crash, with the same `transition_id`.
 */
export interface AlertEvaluation {
  /**
   * Resolves once the rule is in the log: it is evaluated from there on. A rule that needs history (change against a
   * day or a week, anomaly) learns from it first. The same version again does nothing; a higher one replaces the rule,
   * whose groups begin anew, and firing groups get a last transition with the reason `rule_changed`.
   * Rejects with `query.invalid`, saying what to change.
   */
  put(tenant: string, rule: EvaluatedRule): Promise<void>;
  /** Firing groups get a last transition with the reason `rule_removed`. A rule that is not known is no error. */
  remove(tenant: string, ruleId: string): Promise<void>;
  /** Rules, their problems and the states of their groups, as of now. */
  rules(tenant?: string): Promise<EvaluatedRuleStatus[]>;
  /** What the rule would have done in [from, to), from history, by the evaluator that runs live. */
  preview(
    tenant: string,
    evaluation: Evaluation,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<RulePreview>;
  onTransitions(listener: (batch: TransitionBatch) => void): Unsubscribe;
  /** All transitions up to this batch are stored for good: the engine may forget them. */
  confirm(seq: number): void;
}

export interface EvaluatedRuleStatus {
  tenant: string;
  ruleId: string;
  version: number;
  /** Why it cannot be evaluated now, in words; undefined when it can. */
  problem: string | undefined;
  /** The problem is the server's, and all rules have it: nobody is told of it for each. */
  isServers?: boolean;
  counts: { ok: number; pending: number; firing: number; no_data: number };
  /** `alert_id` of every group that is not well: an alert that is not among them is over. */
  activeAlerts: readonly string[];
}

export interface DecidedTransition extends Transition {
  tenant: string;
  /** Wall clock of the receipt of the newest point that was looked at, epoch ms: where its delay is counted from. */
  received_at: number;
}

/** What one tick of the log decided. */
export interface TransitionBatch {
  /** Position of the tick; grows. */
  seq: number;
  transitions: readonly DecidedTransition[];
}
