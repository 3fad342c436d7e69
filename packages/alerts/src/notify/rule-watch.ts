import { isAppError } from '@nowcast/kernel';
import type { EvaluatedRuleStatus, RuleRow } from '@nowcast/ports';
import type { NotifyParts } from './notify-parts.ts';
import { evaluatedRule } from './rule-service.ts';

const pollMs = 30_000;
/** A source that restarts is no problem yet. */
const standsMs = 120_000;
const retentionMs = 366 * 86_400_000;
/** Nobody was told of what was over before it fired, and there may be thousands a day. */
const neverFiredMs = 2 * 86_400_000;
const retentionEveryMs = 86_400_000;

/**
 * Compares what is stored with what the engine knows: rules that it lacks are put, others removed, and a problem that
 * stands is told to the rule's owner once. At the first look, alerts that the engine does not know are over: they ended
 * while nobody was there to hear it, for instance when a backup was restored.
 */
export class RuleWatch {
  readonly #parts: NotifyParts;
  /** When each problem was first seen, by rule. */
  readonly #seen = new Map<string, { problem: string; at: number }>();
  #reconciled = false;
  #cleanedAt = Number.NEGATIVE_INFINITY;
  #cleaning: Promise<void> | undefined;
  #cancel = (): void => {};
  #stopped = true;

  constructor(parts: NotifyParts) {
    this.#parts = parts;
  }

  /** Looks once before it resolves; a failure is tried again by the next look. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#poll();
  }

  /** What is being forgotten is left at the next step. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#cleaning;
  }

  async #poll(): Promise<void> {
    const { clock, log, evaluation } = this.#parts.options;
    try {
      // Asked before the queue, not in it: what the engine decided before it answered waits there in front, and an alert
      // that ended in it must not be taken for one that nobody knows.
      const statuses = await evaluation.rules();
      await this.#parts.queue.run(() => this.#look(statuses));
    } catch (error) {
      log('warn', 'rules could not be compared with the engine; trying again', { error });
    }
    if (!this.#stopped) this.#cancel = clock.after(pollMs, () => void this.#goOn());
  }

  async #goOn(): Promise<void> {
    // Beside the queue, and not before the first look has ended: whoever starts or decides does not wait for it.
    this.#cleaning ??= this.#clean().finally(() => {
      this.#cleaning = undefined;
    });
    await this.#poll();
  }

  async #look(statuses: readonly EvaluatedRuleStatus[]): Promise<void> {
    const rows = await this.#parts.options.store.alerting.rules.listAll();
    const rules = new Map(rows.map((row) => [keyOf(row), row]));
    const refused = await this.#align(statuses, rules);
    if (!this.#reconciled) await this.#closeUnknown(statuses);
    this.#reconciled = true;
    for (const status of statuses)
      if (!refused.has(keyOf(status))) await this.#judge(status, rules.get(keyOf(status)));
  }

  /** Returns the rules that the engine does not take: it goes on with what it had of them, if anything. */
  async #align(
    statuses: readonly EvaluatedRuleStatus[],
    rules: ReadonlyMap<string, RuleRow>,
  ): Promise<ReadonlySet<string>> {
    const { evaluation } = this.#parts.options;
    const refused = new Set<string>();
    const versions = new Map(statuses.map((status) => [keyOf(status), status.version]));
    for (const [key, row] of rules) {
      if (!row.content.enabled || (versions.get(key) ?? 0) >= row.evaluationVersion) continue;
      try {
        await evaluation.put(row.tenantId, evaluatedRule(row));
      } catch (error) {
        refused.add(key);
        await this.#refused(row, error);
      }
    }
    for (const { tenant, ruleId } of statuses)
      if (rules.get(keyOf({ tenant, ruleId }))?.content.enabled !== true)
        await evaluation.remove(tenant, ruleId);
    return refused;
  }

  /** What is refused for good only its owner can change; anything else may go well the next time. */
  async #refused(row: RuleRow, error: unknown): Promise<void> {
    const problem = isAppError(error) && !error.retryable ? error.message : undefined;
    if (problem !== undefined && problem === row.problem) return;
    this.#parts.options.log('warn', 'the engine refuses a rule', { rule: row.ruleId, error });
    if (problem === undefined) return;
    await this.#tell(row, problem);
    await this.#setProblem(row, problem);
  }

  async #closeUnknown(statuses: readonly EvaluatedRuleStatus[]): Promise<void> {
    const { book, notifier } = this.#parts;
    const known = new Set(statuses.flatMap(({ activeAlerts }) => activeAlerts));
    for (const tenantId of book.tenants()) {
      const unknown = [...book.active(tenantId).values()].filter(({ alertId }) => !known.has(alertId));
      await notifier.close(tenantId, unknown, 'the rule was changed while nothing ran');
    }
  }

  async #judge(status: EvaluatedRuleStatus, row: RuleRow | undefined): Promise<void> {
    if (row === undefined || status.isServers === true) return;
    const { clock } = this.#parts.options;
    const key = keyOf(status);
    const { problem } = status;
    if (problem === undefined) {
      this.#seen.delete(key);
      if (row.problem !== undefined) await this.#setProblem(row, undefined);
      return;
    }
    const seen = this.#seen.get(key);
    if (seen?.problem !== problem) this.#seen.set(key, { problem, at: clock.now() });
    else if (clock.now() - seen.at >= standsMs && row.problem !== problem) {
      await this.#tell(row, problem);
      await this.#setProblem(row, problem);
    }
  }

  async #setProblem(row: RuleRow, problem: string | undefined): Promise<void> {
    await this.#parts.options.store.alerting.rules.setProblem(row.tenantId, row.ruleId, problem);
    this.#parts.book.rulesChanged(row.tenantId);
    this.#parts.events.rule(row.tenantId, row.ruleId);
  }

  async #tell(row: RuleRow, problem: string): Promise<void> {
    const now = this.#parts.options.clock.now();
    await this.#parts.notifier.say({
      tenantId: row.tenantId,
      kind: 'rule_problem',
      severity: 'warning',
      title: `${row.content.name} cannot be evaluated`,
      text: problem,
      at: now,
      rule: { ruleId: row.ruleId, name: row.content.name, ownerId: row.userId, content: row.content },
      alerts: [],
      targets: [],
      receivedAt: undefined,
      tag: `problem-${row.ruleId}`,
    });
  }

  async #clean(): Promise<void> {
    const { clock, store, log } = this.#parts.options;
    const now = clock.now();
    if (now - this.#cleanedAt < retentionEveryMs) return;
    try {
      const before = { time: now - retentionMs, neverFired: now - neverFiredMs };
      while (!this.#stopped && (await store.alerting.alerts.forget(before)));
      this.#cleanedAt = now;
    } catch (error) {
      log('warn', 'what is old could not be forgotten; trying again', { error });
    }
  }
}

function keyOf(rule: { ruleId: string } & ({ tenant: string } | { tenantId: string })): string {
  return JSON.stringify(['tenant' in rule ? rule.tenant : rule.tenantId, rule.ruleId]);
}
