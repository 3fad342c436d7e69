import {
  type Actor,
  type Evaluation,
  type RuleContent,
  type RuleTest,
  type RuleTestDelivery,
  type Target,
} from '@nowcast/contract';
import type { DecidedTransition, DeliveryVia, RuleRow } from '@nowcast/ports';
import { lifeStep } from './alert-life.ts';
import { unjudged } from './alert-picture.ts';
import { type Notice, noticeOf } from './notice.ts';
import type { NotifyOptions } from './notify-options.ts';
import { personOf } from './rights.ts';
import type { NotifyParts } from './notify-parts.ts';
import { withinLimit } from './time-limit.ts';

const exampleRangeMs = 3_600_000;
const exampleLimitMs = 2000;
/** Longer than an attempt takes. */
const answerLimitMs = 20_000;

/**
 * Says a test to everybody the rule would tell first, and to the actor: the message of an alert whose value is the one
 * of now, by the way an alert's goes. Resolves when every way was tried, or after 20 s. Throws `request.throttled`.
 */
export async function testRule(parts: NotifyParts, actor: Actor, rule: RuleRow): Promise<RuleTest> {
  const { user_id: userId, tenant_id: tenantId } = personOf(actor);
  const { options, notifier, queue, attempts, tests } = parts;
  const targets = firstTargets(rule);
  tests.admit(actor, { rule_id: rule.ruleId, targets });
  const alert = await exampleTransition(options, rule);
  const notice = testNotice(alert, rule, [...targets, { kind: 'user', user_id: userId }]);
  const { inbox, deliveries } = await notifier.compose(notice);
  const known = await attempts.after(
    () => queue.run(() => notifier.send({ inbox, deliveries })),
    deliveries.map(({ deliveryId }) => deliveryId),
    answerLimitMs,
  );
  const members = await options.store.members.list(tenantId);
  const names = new Map(members.map(({ user }) => [user.userId, user.name]));
  const own = inbox.find((entry) => entry.userId === userId);
  return {
    notification_id: own?.notificationId ?? '',
    people: inbox.map((entry) => names.get(entry.userId) ?? ''),
    deliveries: deliveries.map(({ deliveryId, via }) => ({
      delivery_id: deliveryId,
      ...wayOf(via, names),
      ...(known.get(deliveryId) ?? stillWaiting),
    })),
  };
}

const stillWaiting = {
  status: 'waiting',
  error: 'it waits for its turn; the message under the bell says later how it went',
} as const;

function wayOf(
  via: DeliveryVia,
  names: ReadonlyMap<string, string>,
): Pick<RuleTestDelivery, 'via' | 'person'> {
  if (via.kind === 'channel') return { via: via.name, person: null };
  return { via: via.kind, person: names.get(via.userId) ?? '' };
}

function firstTargets({ content, userId }: RuleRow): Target[] {
  return content.notify.targets.length > 0 ? content.notify.targets : [{ kind: 'user', user_id: userId }];
}

/** What the alert would say, under words that keep anybody from acting on it. */
function testNotice(transition: DecidedTransition, rule: RuleRow, targets: readonly Target[]): Notice {
  const { content, tenantId, ruleId, userId } = rule;
  const alert = lifeStep(undefined, transition, rule)?.alert;
  const news = alert === undefined ? [] : [{ kind: 'firing' as const, alert, targets }];
  const said = noticeOf(news, rule, transition.at, undefined);
  return {
    ...said,
    tenantId,
    kind: 'test',
    severity: content.severity,
    title: said?.title ?? content.name,
    text: `This is a test; nothing has happened. An alert of this rule reads:\n${said?.text ?? ''}`,
    at: transition.at,
    rule: { ruleId, name: content.name, ownerId: userId, content },
    alerts: said?.alerts ?? [],
    targets,
    receivedAt: undefined,
    tag: `test-${ruleId}`,
  };
}

/** A firing of the rule's first group at its newest value; with no data, of a made-up group at the limit. */
async function exampleTransition(options: NotifyOptions, rule: RuleRow): Promise<DecidedTransition> {
  const at = options.clock.now();
  const { evaluation } = rule.content;
  const limit = limitOf(evaluation);
  const group = await newestGroup(options, rule.tenantId, evaluation, at);
  return {
    tenant: rule.tenantId,
    transition_id: 'test',
    alert_id: 'test',
    rule_id: rule.ruleId,
    labels: group?.labels ?? Object.fromEntries(evaluation.group_by.map((name) => [name, `${name}-1`])),
    from: 'ok',
    to: 'firing',
    at,
    value: group?.value ?? limit,
    limit,
    reason: 'value',
    received_at: at,
  };
}

async function newestGroup(
  { evaluation: engine, clock, log }: NotifyOptions,
  tenantId: string,
  evaluation: Evaluation,
  now: number,
): Promise<{ labels: Record<string, string>; value: number } | undefined> {
  if (evaluation.query === undefined) return undefined;
  try {
    const preview = await withinLimit(clock, exampleLimitMs, (signal) =>
      engine.preview(tenantId, unjudged(evaluation), now - exampleRangeMs, now, signal),
    );
    const [series] = preview === 'late' ? [] : preview.series;
    const value = series?.value.findLast((one) => one !== null);
    return series === undefined || value == null ? undefined : { labels: series.labels, value };
  } catch (error) {
    log('warn', 'a test goes with a value that is made up', { error });
    return undefined;
  }
}

function limitOf({ condition }: RuleContent['evaluation']): number | null {
  return condition.kind === 'threshold' ? condition.value : null;
}
