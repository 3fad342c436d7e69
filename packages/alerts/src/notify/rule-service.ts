import {
  type Actor,
  appError,
  type EvaluatedRule,
  parseDuration,
  type PreviewRuleInput,
  type Rule,
  type RuleContent,
  type RulePreview,
  type RuleTest,
  type SaveRuleInput,
  type Target,
  type TestRuleInput,
} from '@nowcast/contract';
import { isAppError, randomId } from '@nowcast/kernel';
import type { EvaluatedRuleStatus, RuleRow } from '@nowcast/ports';
import { checkRule } from '../evaluate/plan.ts';
import { durationOf } from './decide-news.ts';
import type { NotifyParts } from './notify-parts.ts';
import { personOf, requireRight } from './rights.ts';
import { testRule } from './rule-test.ts';
import { wireRule } from './wire.ts';

const maxRulesPerTenant = 1000;
const longestPreviewMs = 31 * 86_400_000;

/**
 * Rules: what a user saves is stored first and put to the engine then. A rule that is stored and could not be put is put
 * by the watch that compares both (rule-watch.ts); one that was put and is not stored could not be told from another.
 * What the engine refuses for good is not kept: what is shown is what is evaluated.
 */
export class RuleService {
  readonly #parts: NotifyParts;

  constructor(parts: NotifyParts) {
    this.#parts = parts;
  }

  async list(actor: Actor): Promise<Rule[]> {
    this.#require(actor, 'alert.read');
    const [rows, statuses] = await Promise.all([
      this.#rules.list(actor.tenant_id),
      this.#statuses(actor.tenant_id),
    ]);
    return rows.map((row) => this.#wire(actor, row, statuses));
  }

  async get(actor: Actor, ruleId: string): Promise<Rule> {
    this.#require(actor, 'alert.read');
    const row = await this.#row(actor, ruleId);
    return this.#wire(actor, row, await this.#statuses(actor.tenant_id));
  }

  /** The rule belongs to the actor, who must be a person: somebody must hear of it. */
  async create(actor: Actor, content: RuleContent): Promise<Rule> {
    this.#require(actor, 'alert.write');
    const { user_id: userId } = personOf(actor);
    await this.#check(actor, content, undefined);
    const ruleId = randomId('rule');
    const at = this.#parts.options.clock.now();
    const row = { ruleId, userId, content, version: 1, evaluationVersion: 1, createdAt: at, updatedAt: at };
    if (!(await this.#rules.create(actor.tenant_id, { ...row, problem: undefined }, maxRulesPerTenant)))
      throw appError(
        'request.conflict',
        `An organisation has at most ${maxRulesPerTenant} rules; delete some that nobody needs`,
      );
    this.#parts.book.rulesChanged(actor.tenant_id);
    await this.#evaluate(actor.tenant_id, { ruleId, content, evaluationVersion: 1 }, () =>
      this.#rules.delete(actor.tenant_id, ruleId),
    );
    this.#parts.events.rule(actor.tenant_id, ruleId);
    return this.get(actor, ruleId);
  }

  /** `request.conflict` with `details.version` when somebody else has saved since `base_version`. */
  async save(
    actor: Actor,
    ruleId: string,
    { content, base_version: baseVersion }: SaveRuleInput,
  ): Promise<Rule> {
    this.#require(actor, 'alert.write');
    const before = await this.#row(actor, ruleId);
    await this.#check(actor, content, ruleId);
    const changed = isEvaluationChanged(before.content, content);
    const evaluationVersion = before.evaluationVersion + (changed ? 1 : 0);
    const at = this.#parts.options.clock.now();
    // What it was may not be saved over by a change that was decided from an older version: compare and swap.
    const base = baseVersion === before.version ? baseVersion : -1;
    const result = await this.#rules.save(actor.tenant_id, ruleId, {
      content,
      baseVersion: base,
      evaluationVersion,
      at,
    });
    if (result === undefined) throw noSuchRule();
    if (!result.saved)
      throw appError(
        'request.conflict',
        `Somebody saved version ${result.version} since you opened version ${baseVersion}; load it, or save yours as a new rule`,
        { details: { version: result.version } },
      );
    this.#parts.book.rulesChanged(actor.tenant_id);
    if (changed)
      await this.#evaluate(actor.tenant_id, { ruleId, content, evaluationVersion }, () =>
        this.#rules.restore(before),
      );
    // Targets, repeat and the like may make something due, or no more.
    await this.#parts.queue.run(() => this.#parts.notifier.act(actor.tenant_id, {}));
    this.#parts.events.rule(actor.tenant_id, ruleId);
    return this.get(actor, ruleId);
  }

  /** Its open alerts, and groups that flap, are over, and said to be to those who were told. */
  async delete(actor: Actor, ruleId: string): Promise<void> {
    this.#require(actor, 'alert.write');
    await this.#row(actor, ruleId);
    const { queue, notifier, book, options, events } = this.#parts;
    const tenantId = actor.tenant_id;
    await options.evaluation.remove(tenantId, ruleId);
    await queue.run(async () => {
      await notifier.closeRule(tenantId, ruleId, 'the rule was deleted');
      if (!(await this.#rules.delete(tenantId, ruleId))) throw noSuchRule();
      book.rulesChanged(tenantId);
    });
    events.rule(tenantId, ruleId);
  }

  async preview(
    actor: Actor,
    { evaluation, range }: PreviewRuleInput,
    signal?: AbortSignal,
  ): Promise<RulePreview> {
    this.#require(actor, 'alert.read');
    const rangeMs = parseDuration(range);
    if (rangeMs > longestPreviewMs)
      throw appError('query.invalid', `range is ${range}; look back 31 days at most`);
    const now = this.#parts.options.clock.now();
    return this.#parts.options.evaluation.preview(actor.tenant_id, evaluation, now - rangeMs, now, signal);
  }

  /** How the test of a saved rule went; throws `request.throttled` after too many. */
  async test(actor: Actor, ruleId: string): Promise<RuleTest> {
    this.#require(actor, 'alert.manage');
    return testRule(this.#parts, actor, await this.#row(actor, ruleId));
  }

  /** The same of a rule as it is written now: refused like saving it, with `query.invalid` or `request.invalid`. */
  async testDraft(actor: Actor, { content, rule_id: ruleId }: TestRuleInput): Promise<RuleTest> {
    this.#require(actor, 'alert.write');
    this.#require(actor, 'alert.manage');
    const row = ruleId === undefined ? this.#unsaved(actor) : await this.#row(actor, ruleId);
    await this.#check(actor, content, ruleId);
    return testRule(this.#parts, actor, { ...row, content });
  }

  get #rules() {
    return this.#parts.options.store.alerting.rules;
  }

  #require(actor: Actor, action: Parameters<typeof requireRight>[2]): void {
    requireRight(this.#parts.options.can, actor, action);
  }

  async #row(actor: Actor, ruleId: string): Promise<RuleRow> {
    const row = await this.#rules.get(actor.tenant_id, ruleId);
    if (row === undefined) throw noSuchRule();
    return row;
  }

  #unsaved(actor: Actor): Omit<RuleRow, 'content'> {
    const at = this.#parts.options.clock.now();
    return {
      tenantId: actor.tenant_id,
      ruleId: '',
      userId: personOf(actor).user_id,
      ownerName: '',
      version: 0,
      evaluationVersion: 0,
      createdAt: at,
      updatedAt: at,
      problem: undefined,
    };
  }

  async #statuses(tenantId: string): Promise<ReadonlyMap<string, EvaluatedRuleStatus>> {
    const statuses = await this.#parts.options.evaluation.rules(tenantId);
    return new Map(statuses.map((status) => [status.ruleId, status]));
  }

  #wire(actor: Actor, row: RuleRow, statuses: ReadonlyMap<string, EvaluatedRuleStatus>): Rule {
    const editable = this.#parts.options.can(actor, 'alert.write', { tenant_id: row.tenantId });
    return wireRule(row, statuses.get(row.ruleId), editable);
  }

  /** `undo` takes out of the store again what the engine refuses for good. */
  async #evaluate(
    tenantId: string,
    rule: Pick<RuleRow, 'ruleId' | 'content' | 'evaluationVersion'>,
    undo: () => Promise<boolean>,
  ): Promise<void> {
    const { evaluation } = this.#parts.options;
    try {
      if (rule.content.enabled) await evaluation.put(tenantId, evaluatedRule(rule));
      else await evaluation.remove(tenantId, rule.ruleId);
    } catch (error) {
      if (isAppError(error) && !error.retryable) {
        await undo();
        this.#parts.book.rulesChanged(tenantId);
      }
      throw error;
    }
  }

  /** What the schema cannot know. Throws `query.invalid` or `request.invalid`, saying what to change. */
  async #check(actor: Actor, content: RuleContent, ruleId: string | undefined): Promise<void> {
    checkRule(content.evaluation, () => 'avg');
    const { notify, flap, evaluation } = content;
    for (const text of [notify.group_wait, flap.within, ...notify.escalate.map(({ after }) => after)])
      durationOf(text);
    if (notify.repeat !== undefined && parseDuration(notify.repeat) < 60_000)
      throw appError('request.invalid', 'Repeat a message after a minute at the earliest');
    if (evaluation.condition.kind === 'composite')
      await this.#checkParts(actor, evaluation.condition.rule_ids, ruleId);
    await this.#checkTargets(actor, [
      ...notify.targets,
      ...notify.escalate.flatMap(({ targets }) => targets),
    ]);
  }

  async #checkParts(actor: Actor, ids: readonly string[], ruleId: string | undefined): Promise<void> {
    const rules = await this.#parts.book.rules(actor.tenant_id);
    for (const id of ids) {
      const part = rules.get(id);
      if (part === undefined || id === ruleId)
        throw appError('request.invalid', `There is no other rule "${id}"; choose one of the list`);
      if (part.content.evaluation.condition.kind === 'composite')
        throw appError(
          'request.invalid',
          `"${part.content.name}" is itself made of rules; choose its parts instead`,
        );
    }
  }

  async #checkTargets(actor: Actor, targets: readonly Target[]): Promise<void> {
    const { book, options } = this.#parts;
    const tenantId = actor.tenant_id;
    for (const target of targets) {
      const known =
        target.kind === 'role' ||
        (target.kind === 'user' &&
          (await options.store.members.get(tenantId, target.user_id)) !== undefined) ||
        (target.kind === 'schedule' &&
          (await book.policies(tenantId, 'schedule')).some(({ id }) => id === target.schedule_id)) ||
        (target.kind === 'channel' &&
          (await book.policies(tenantId, 'channel')).some(({ id }) => id === target.channel_id));
      if (!known)
        throw appError(
          'request.invalid',
          `One of those to be told, a ${target.kind}, does not exist (any more); choose others`,
        );
    }
  }
}

export function evaluatedRule(
  rule: Pick<RuleRow, 'ruleId' | 'content' | 'evaluationVersion'>,
): EvaluatedRule {
  return {
    rule_id: rule.ruleId,
    version: rule.evaluationVersion,
    evaluation: rule.content.evaluation,
  };
}

/** What the engine evaluates: a new name or a new target must not make running alerts begin anew. */
function isEvaluationChanged(a: RuleContent, b: RuleContent): boolean {
  return a.enabled !== b.enabled || canonical(a.evaluation) !== canonical(b.evaluation);
}

/** JSON whose keys are in order: the order in which a client writes them means nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)))
      : part,
  );
}

function noSuchRule() {
  return appError('request.not_found', 'There is no such rule');
}
