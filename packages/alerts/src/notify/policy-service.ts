import { randomBytes } from 'node:crypto';
import { TimeZone } from '@nowcast/aggregate';
import {
  type Action,
  type Actor,
  appError,
  type Channel,
  type ChannelContent,
  type Delivery,
  type Inhibition,
  type Maintenance,
  parseDuration,
  type Schedule,
  type Shift,
  type Silence,
} from '@nowcast/contract';
import { randomId } from '@nowcast/kernel';
import type { Destination, PolicyContents, PolicyKind, PolicyRow } from '@nowcast/ports';
import { alertTest } from './alert-match.ts';
import type { DirectSend } from './direct-send.ts';
import { longestWindowMs, windowsFrom } from './maintenance.ts';
import { requireRight } from './rights.ts';
import type { NotifyParts } from './notify-parts.ts';
import {
  wireChannel,
  wireInhibition,
  wireMaintenance,
  wireSchedule,
  wireShifts,
  wireSilence,
} from './wire.ts';

const mostOfKind = 500;
const previewed = 10;
const longestSilenceMs = 366 * 86_400_000;

/** What people write; the signing secret of a channel is made here. */
export interface PolicyInputs {
  silence: PolicyContents['silence'];
  maintenance: PolicyContents['maintenance'];
  inhibition: PolicyContents['inhibition'];
  schedule: PolicyContents['schedule'];
  channel: ChannelContent;
}
export interface PolicyAnswers {
  silence: Silence;
  maintenance: Maintenance;
  inhibition: Inhibition;
  schedule: Schedule;
  channel: Channel;
}

const writeRights: Readonly<Record<PolicyKind, Action>> = {
  silence: 'alert.act',
  maintenance: 'alert.manage',
  inhibition: 'alert.manage',
  schedule: 'alert.manage',
  channel: 'alert.manage',
};

/** Silences, maintenance, inhibitions, schedules and channels; each change may make alerts speak or be quiet. */
export class PolicyService {
  readonly #parts: NotifyParts;
  readonly #direct: DirectSend;

  constructor(parts: NotifyParts, direct: DirectSend) {
    this.#parts = parts;
    this.#direct = direct;
  }

  async list<K extends PolicyKind>(actor: Actor, kind: K): Promise<PolicyAnswers[K][]> {
    this.#require(actor, 'alert.read');
    const rows = await this.#policies.list(actor.tenant_id, kind);
    return this.#wire(actor.tenant_id, rows);
  }

  async create<K extends PolicyKind>(
    actor: Actor,
    kind: K,
    content: PolicyInputs[K],
  ): Promise<PolicyAnswers[K]> {
    this.#require(actor, writeRights[kind]);
    if (actor.kind !== 'user')
      throw appError('auth.forbidden', 'Settings have an owner; sign in to make one');
    const id = randomId(kind);
    const whole = await this.#whole(actor, kind, content, undefined);
    const now = this.#parts.options.clock.now();
    const row = { id, kind, content: whole, userId: actor.user_id, createdAt: now };
    if (!(await this.#policies.create(actor.tenant_id, row, mostOfKind)))
      throw appError('request.conflict', `There are ${mostOfKind} of these already; delete some`);
    await this.#changed(actor.tenant_id, kind);
    const answer = await this.#one(actor.tenant_id, kind, id);
    return 'signingSecret' in whole ? { ...answer, signing_secret: whole.signingSecret } : answer;
  }

  async update<K extends PolicyKind>(
    actor: Actor,
    kind: K,
    id: string,
    content: PolicyInputs[K],
  ): Promise<PolicyAnswers[K]> {
    this.#require(actor, writeRights[kind]);
    const before = await this.#policies.get(actor.tenant_id, kind, id);
    if (before === undefined) throw noSuchPolicy();
    const whole = await this.#whole(actor, kind, content, before);
    if (!(await this.#policies.update(actor.tenant_id, kind, id, whole))) throw noSuchPolicy();
    await this.#changed(actor.tenant_id, kind);
    return this.#one(actor.tenant_id, kind, id);
  }

  /** A silence ends now and stays among those that were, as long as there is room; everything else is gone. */
  async delete(actor: Actor, kind: PolicyKind, id: string): Promise<void> {
    this.#require(actor, writeRights[kind]);
    const now = this.#parts.options.clock.now();
    const silence = kind === 'silence' ? await this.#policies.get(actor.tenant_id, 'silence', id) : undefined;
    const isRunning = silence !== undefined && silence.content.from < now && now < silence.content.to;
    const done = isRunning
      ? await this.#policies.update(actor.tenant_id, 'silence', id, { ...silence.content, to: now })
      : await this.#policies.delete(actor.tenant_id, kind, id);
    if (!done) throw noSuchPolicy();
    await this.#changed(actor.tenant_id, kind);
  }

  /** One attempt, now. How it ended is the answer, whatever the other side did. */
  async testChannel(actor: Actor, id: string): Promise<Delivery> {
    this.#require(actor, 'alert.manage');
    const channel = await this.#policies.get(actor.tenant_id, 'channel', id);
    if (channel === undefined) throw noSuchPolicy();
    this.#parts.tests.admit(actor, { channel_id: id, kind: channel.content.config.kind });
    return this.#direct.test(actor.tenant_id, destinationOf(channel.content), channel.content.name);
  }

  /** When a maintenance window that is not saved yet would be open. */
  previewMaintenance(actor: Actor, content: PolicyInputs['maintenance']): Maintenance['upcoming'] {
    this.#require(actor, 'alert.manage');
    checkMaintenance(content);
    return windowsFrom(content, this.#parts.options.clock.now(), previewed);
  }

  /** Who would be on call by a schedule that is not saved yet. */
  async previewSchedule(actor: Actor, content: PolicyInputs['schedule']): Promise<Shift[]> {
    this.#require(actor, 'alert.manage');
    new TimeZone(content.tz).offsetAt(0);
    await this.#checkSchedule(actor.tenant_id, content);
    return wireShifts(content, await this.#names(actor.tenant_id), this.#parts.options.clock.now());
  }

  get #policies() {
    return this.#parts.options.store.alerting.policies;
  }

  #require(actor: Actor, action: Action): void {
    requireRight(this.#parts.options.can, actor, action);
  }

  async #changed(tenantId: string, kind: PolicyKind): Promise<void> {
    this.#parts.book.policiesChanged(tenantId);
    this.#parts.events.policies(tenantId, kind);
    await this.#parts.queue.run(() => this.#parts.notifier.act(tenantId, {}));
  }

  async #one<K extends PolicyKind>(tenantId: string, kind: K, id: string): Promise<PolicyAnswers[K]> {
    const row = await this.#policies.get(tenantId, kind, id);
    const [answer] = row === undefined ? [] : await this.#wire(tenantId, [row]);
    if (answer === undefined) throw noSuchPolicy();
    return answer;
  }

  /** Completes and checks what people wrote. Throws `query.invalid` or `request.invalid`, saying what to change. */
  async #whole<K extends PolicyKind>(
    actor: Actor,
    kind: K,
    content: PolicyInputs[K],
    before: PolicyRow<K> | undefined,
  ): Promise<PolicyContents[K]> {
    if ('where' in content) alertTest(content.where);
    if ('source' in content) [content.source, content.target].forEach(alertTest);
    if ('tz' in content) new TimeZone(content.tz).offsetAt(0);
    if ('duration' in content) checkMaintenance(content);
    if (kind === 'silence' && 'from' in content) checkSpan(content, this.#parts.options.clock.now());
    if ('overrides' in content) await this.#checkSchedule(actor.tenant_id, content);
    if (!('config' in content)) return content as PolicyContents[K];
    await this.#checkFallback(actor.tenant_id, content, before?.id);
    const channel = withSecrets(content, before as PolicyRow<'channel'> | undefined);
    const problem = this.#parts.options.outgoing.problem?.(destinationOf(channel));
    if (problem !== undefined) throw appError('request.invalid', problem);
    return channel as PolicyContents[K];
  }

  async #checkSchedule(tenantId: string, content: PolicyContents['schedule']): Promise<void> {
    const members = await this.#parts.options.store.members.list(tenantId);
    const known = new Set(members.map(({ user }) => user.userId));
    const named = [...content.members, ...content.overrides.map((override) => override.user_id)];
    if (named.some((userId) => !known.has(userId)))
      throw appError('request.invalid', 'One of these people is not a member (any more); choose others');
    if (content.overrides.some(({ from, to }) => !(from < to)))
      throw appError('request.invalid', 'An override must end after it begins');
  }

  async #names(tenantId: string): Promise<Map<string, string>> {
    const members = await this.#parts.options.store.members.list(tenantId);
    return new Map(members.map(({ user }) => [user.userId, user.name]));
  }

  async #checkFallback(tenantId: string, content: ChannelContent, ownId: string | undefined): Promise<void> {
    const id = content.fallback_channel_id;
    if (id === undefined) return;
    const channels = await this.#parts.book.policies(tenantId, 'channel');
    if (id === ownId || !channels.some((channel) => channel.id === id))
      throw appError('request.invalid', 'The fallback must be another channel that exists');
  }

  async #wire<K extends PolicyKind>(
    tenantId: string,
    rows: readonly PolicyRow<K>[],
  ): Promise<PolicyAnswers[K][]> {
    const [first] = rows;
    if (first === undefined) return [];
    const last =
      first.kind === 'channel'
        ? await this.#parts.options.store.alerting.deliveries.lastOfChannels(tenantId)
        : undefined;
    const names = first.kind === 'schedule' ? await this.#names(tenantId) : new Map<string, string>();
    const now = this.#parts.options.clock.now();
    return rows.map((row) => answerOf(row, { last, names, now }) as PolicyAnswers[K]);
  }
}

interface AnswerContext {
  last: ReadonlyMap<string, { at: number; ok: boolean; error: string }> | undefined;
  names: ReadonlyMap<string, string>;
  now: number;
}

function answerOf(
  row: PolicyRow<PolicyKind>,
  { last, names, now }: AnswerContext,
): PolicyAnswers[PolicyKind] {
  if (isKind(row, 'silence')) return wireSilence(row);
  if (isKind(row, 'maintenance')) return wireMaintenance(row, now);
  if (isKind(row, 'inhibition')) return wireInhibition(row);
  if (isKind(row, 'schedule')) return wireSchedule(row, names, now);
  return wireChannel(row as PolicyRow<'channel'>, last?.get(row.id) ?? null);
}

function isKind<K extends PolicyKind>(row: PolicyRow<PolicyKind>, kind: K): row is PolicyRow<K> {
  return row.kind === kind;
}

/** Also keeps the search for an open window short. */
function checkMaintenance({ duration, tz }: PolicyInputs['maintenance']): void {
  new TimeZone(tz).offsetAt(0);
  const durationMs = parseDuration(duration);
  if (!(durationMs > 0 && durationMs <= longestWindowMs))
    throw appError('request.invalid', 'A maintenance window lasts a minute at least and a week at most');
}

function checkSpan({ from, to }: { from: number; to: number }, now: number): void {
  if (!(from < to) || to <= now)
    throw appError('request.invalid', 'A silence must end after it begins, and in the future');
  if (to - from > longestSilenceMs)
    throw appError('request.invalid', 'A silence lasts a year at most; switch the rule off instead');
}

/** An empty secret keeps the one that is stored, since it is never shown; another format has another secret. */
function withSecrets(
  content: ChannelContent,
  before: PolicyRow<'channel'> | undefined,
): PolicyContents['channel'] {
  const signingSecret = before?.content.signingSecret ?? randomBytes(32).toString('base64url');
  const { config } = content;
  const old = before?.content.config;
  if (config.kind !== 'webhook' || config.secret !== '' || old?.kind !== 'webhook')
    return { ...content, signingSecret };
  // A secret must not be sent to wherever somebody points the channel next: it goes with its format and host.
  const isSame = old.format === config.format && hostOf(old.url) === hostOf(config.url);
  return { ...content, config: { ...config, secret: isSame ? old.secret : '' }, signingSecret };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

export function destinationOf({ config, signingSecret }: PolicyContents['channel']): Destination {
  return config.kind === 'email' ? { kind: 'email', to: config.to } : { ...config, signingSecret };
}

function noSuchPolicy() {
  return appError('request.not_found', 'There is none of this id');
}
