import { isAppError, randomId } from '@nowcast/kernel';
import type {
  AlertChange,
  AlertRow,
  DecidedTransition,
  NewDelivery,
  NewInboxEntry,
  Told,
  TransitionBatch,
} from '@nowcast/ports';
import { endedAlert, untilOf } from './alert-life.ts';
import { hearersOf, readPeople } from './audience.ts';
import { type Calmed, type Decided, decideChange, type Happened, type NewEvent } from './decide-change.ts';
import { messagesOf, type Messages, type Sender } from './decide-messages.ts';
import { grouped } from './decide-news.ts';
import type { EventHub } from './event-hub.ts';
import { FlapWatch } from './flap-watch.ts';
import { bothTold, type Notice, noticeOf } from './notice.ts';
import type { NotifyOptions } from './notify-options.ts';
import type { TenantBook } from './tenant-book.ts';
import type { WorkQueue } from './work-queue.ts';

/** Due alerts looked at in one go. */
const dueAtOnce = 500;
const retryAfterMs = 1000;
/** Tries before a batch that the store refuses is taken apart. */
const triesAtOnce = 3;

/**
 * Turns what happened into what is stored: reads, decides (decide-change.ts, decide-messages.ts), stores all of it in
 * one transaction, and only then confirms to the engine, tells open pages and wakes the delivery worker.
 */
export class Notifier {
  readonly #options: NotifyOptions;
  readonly #book: TenantBook;
  readonly #queue: WorkQueue;
  readonly #events: EventHub;
  readonly #flaps = new FlapWatch();
  readonly #wakeWorker: () => void;
  #cancelDue = (): void => {};
  #stopped = false;

  constructor(
    options: NotifyOptions,
    parts: { book: TenantBook; queue: WorkQueue; events: EventHub; wakeWorker: () => void },
  ) {
    this.#options = options;
    this.#book = parts.book;
    this.#queue = parts.queue;
    this.#events = parts.events;
    this.#wakeWorker = parts.wakeWorker;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelDue();
  }

  /** Reads what groups did lately: before anything is decided. */
  async load(): Promise<void> {
    await this.#flaps.load(this.#options.store.alerting, this.#options.clock.now());
  }

  /**
   * Stores what a tick decided. While the store is away it tries again and again: the log is kept as long, and what
   * comes after waits, since order is part of the promise. What the store refuses for another reason is stored
   * transition by transition after some tries, and the one at fault is put aside: it must not keep all others waiting.
   */
  async batch(batch: TransitionBatch): Promise<void> {
    for (let tries = 1; !this.#stopped; tries += 1) {
      try {
        await this.#storeBatch(batch);
        this.#options.evaluation.confirm(batch.seq);
        return;
      } catch (error) {
        if (!isAway(error) && tries >= triesAtOnce) {
          await this.#storeOneByOne(batch);
          this.#options.evaluation.confirm(batch.seq);
          return;
        }
        this.#options.log('error', 'transitions could not be stored; trying again', {
          seq: batch.seq,
          error,
        });
        await new Promise<void>((resolve) => this.#options.clock.after(retryAfterMs, resolve));
      }
    }
  }

  /** What follows from an act of a person, or from a change of rules and policies (nothing given). */
  async act(
    tenantId: string,
    happened: Happened,
    events: readonly NewEvent[] = [],
    more: Messages = { inbox: [], deliveries: [] },
  ): Promise<void> {
    const { decided, messages } = await this.#decide(tenantId, happened);
    await this.#store({
      seq: undefined,
      transitions: [],
      alerts: decided.alerts,
      events: [...events, ...decided.events],
      inbox: [...messages.inbox, ...more.inbox],
      deliveries: [...messages.deliveries, ...more.deliveries],
    });
  }

  /** Ends alerts that the engine does not know (any more): their last transition will not come, or says nothing new. */
  async close(tenantId: string, alerts: readonly AlertRow[], note: string): Promise<void> {
    if (alerts.length === 0) return;
    const at = this.#options.clock.now();
    await this.#close(tenantId, { acted: alerts.map((alert) => endedAlert(alert, at)) }, note);
  }

  /** Ends all alerts of a rule that is about to go. What flapped is over now: nobody will look whether it is calm. */
  async closeRule(tenantId: string, ruleId: string, note: string): Promise<void> {
    const alerts = await this.#options.store.alerting.alerts.unended(tenantId, { ruleId });
    const at = this.#options.clock.now();
    const acted = alerts.filter(({ state }) => state !== 'resolved').map((alert) => endedAlert(alert, at));
    const over = alerts.filter(({ state }) => state === 'resolved');
    const flapped = acted.filter(({ flapping }) => flapping).map((alert) => ({ alert, until: note }));
    const calmed = await this.#calmed(over.filter(({ flapping }) => flapping));
    await this.#close(tenantId, { acted, calmed: [...calmed, ...flapped] }, note);
  }

  /** Their last event says why they were over: the value is not the only reason. */
  #calmed(alerts: readonly AlertRow[]): Promise<Calmed[]> {
    const reasonOf = async (alert: AlertRow): Promise<Calmed> => {
      const events = await this.#options.store.alerting.alerts.events(alert.tenantId, alert.alertId);
      return { alert, until: untilOf(events.findLast(({ kind }) => kind === 'resolved')?.note ?? '') };
    };
    return Promise.all(alerts.map(reasonOf));
  }

  async #close(
    tenantId: string,
    ended: Happened & { acted: readonly AlertRow[] },
    note: string,
  ): Promise<void> {
    const at = this.#options.clock.now();
    const events = ended.acted.map(({ alertId, value }) => ({
      tenantId,
      alertId,
      at,
      kind: 'resolved' as const,
      user_name: '',
      note,
      value: value ?? null,
    }));
    await this.act(tenantId, { ...ended, until: note }, events);
  }

  /** Says something that no alert is behind: rule problems. */
  async say(notice: Notice): Promise<void> {
    await this.send(await this.compose(notice));
  }

  /**
   * Says in the inbox alone that a delivery failed, and makes its fallback, whose channel hears from then on when those
   * of its alerts are over that are not yet.
   */
  async sayFailed(notice: Notice, fallback: NewDelivery | undefined): Promise<void> {
    const { inbox } = await this.compose(notice);
    const alerts = fallback === undefined ? [] : await this.#toldBy(fallback);
    for (const alert of alerts) this.#flaps.noteTold(alert);
    const deliveries = fallback === undefined ? [] : [fallback];
    await this.#store({ seq: undefined, transitions: [], alerts, events: [], inbox, deliveries });
  }

  async #toldBy({ tenantId, tags, via }: NewDelivery): Promise<AlertRow[]> {
    const told = { userIds: [], channelIds: via.kind === 'channel' ? [via.channelId] : [] };
    const alerts = await this.#options.store.alerting.alerts.unended(tenantId, { tags });
    return alerts.map((alert) => ({ ...alert, told: bothTold(alert.told, told) }));
  }

  /** Whom a notice reaches and how; nothing is stored yet. */
  async compose(notice: Notice): Promise<Messages & { told: Told }> {
    const { tenantId } = notice;
    const { store, can } = this.#options;
    const [members, schedules, channels] = await Promise.all([
      store.members.list(tenantId),
      this.#book.policies(tenantId, 'schedule'),
      this.#book.policies(tenantId, 'channel'),
    ]);
    const directory = { members, schedules, channels };
    const { userIds, channels: ways } = hearersOf(notice, directory);
    const people = await readPeople(store.alerting.people, tenantId, userIds, members, can);
    const told = { userIds: [...userIds], channelIds: ways.map(({ id }) => id) };
    return { ...messagesOf(notice, people, ways, await this.sender(tenantId)), told };
  }

  /** Stores what `compose` made and hands it to the worker. */
  async send({ inbox, deliveries }: Messages): Promise<void> {
    await this.#store({ seq: undefined, transitions: [], alerts: [], events: [], inbox, deliveries });
  }

  /** Looks at what is due and sets the timer for what will be. */
  async due(): Promise<void> {
    const { clock, store } = this.#options;
    const rows = await store.alerting.alerts.due(clock.now(), dueAtOnce);
    const byTenant = Map.groupBy(rows, ({ tenantId }) => tenantId);
    let isBehind = false;
    for (const [tenantId, alerts] of byTenant) {
      try {
        const over = alerts.filter(({ state }) => state === 'resolved');
        await this.act(tenantId, { calmed: await this.#calmed(over) });
      } catch (error) {
        // Other organisations' alerts do not wait for it.
        isBehind = true;
        this.#options.log('error', 'alerts that are due could not be looked at; trying again', {
          tenant: tenantId,
          error,
        });
      }
    }
    if (isBehind) this.#setTimerLater();
    else await this.#setTimer();
  }

  async sender(tenantId: string): Promise<Sender> {
    const tenant = await this.#options.store.tenants.get(tenantId);
    return {
      tenantName: tenant?.name ?? '',
      email: this.#options.outgoing.email,
      makeId: randomId,
    };
  }

  async #storeOneByOne({ seq, transitions }: TransitionBatch): Promise<void> {
    for (const transition of transitions) {
      try {
        await this.#storeBatch({ seq, transitions: [transition] });
      } catch (error) {
        this.#options.log('error', 'a transition cannot be stored and is put aside; nobody is told of it', {
          transition,
          error,
        });
      }
    }
  }

  async #storeBatch({ seq, transitions }: TransitionBatch): Promise<void> {
    const known = await this.#options.store.alerting.alerts.knownTransitions(
      transitions.map(({ transition_id: id }) => id),
    );
    const fresh = transitions.filter(({ transition_id: id }) => !known.has(id));
    const change = { alerts: [], events: [], inbox: [], deliveries: [] } as MutableChange;
    for (const [tenantId, own] of Map.groupBy(fresh, ({ tenant }) => tenant)) {
      const { decided, messages } = await this.#decide(tenantId, { transitions: own });
      change.alerts.push(...decided.alerts);
      change.events.push(...decided.events);
      change.inbox.push(...messages.inbox);
      change.deliveries.push(...messages.deliveries);
    }
    await this.#store({ seq, transitions: fresh, ...change });
  }

  async #decide(tenantId: string, happened: Happened): Promise<{ decided: Decided; messages: Messages }> {
    const now = this.#options.clock.now();
    const state = await this.#book.state(tenantId);
    const decided = decideChange(state, happened, this.#flaps, now);
    const messages: Messages = { inbox: [], deliveries: [] };
    for (const group of grouped(decided.news, state.rules)) {
      const rule = state.rules.get(group[0]?.alert.ruleId ?? '');
      const received = receivedAt(
        happened.transitions ?? [],
        group.map(({ alert }) => alert),
      );
      const notice = noticeOf(group, rule, now, received);
      if (notice === undefined) continue;
      const { told, ...one } = await this.compose(notice);
      messages.inbox.push(...one.inbox);
      messages.deliveries.push(...one.deliveries);
      if (notice.kind !== 'resolved') this.#noteTold(decided, notice, told);
    }
    return { decided, messages };
  }

  /** The rows that are stored say who hears of them now. */
  #noteTold(decided: Decided, notice: Notice, told: Told): void {
    const ids = new Set(notice.alerts.map(({ alertId }) => alertId));
    decided.alerts = decided.alerts.map((alert) =>
      ids.has(alert.alertId) ? { ...alert, told: bothTold(alert.told, told) } : alert,
    );
    for (const alert of decided.alerts) if (ids.has(alert.alertId)) this.#flaps.noteTold(alert);
  }

  async #store(change: AlertChange): Promise<void> {
    const isEmpty =
      change.seq === undefined &&
      change.alerts.length + change.events.length + change.inbox.length + change.deliveries.length === 0;
    if (isEmpty) return;
    await this.#options.store.alerting.alerts.apply(change);
    for (const alert of change.alerts) this.#book.keep(alert);
    this.#events.alerts(change.alerts);
    if (change.deliveries.length > 0) this.#wakeWorker();
    // Pages read what was stored; that they cannot be told now is no reason to store it again.
    await this.#events.inbox(change.inbox).catch((error: unknown) => {
      this.#options.log('warn', 'open pages were not told of new messages', { error });
    });
    if (change.alerts.length > 0) await this.#setTimer();
  }

  async #setTimer(): Promise<void> {
    const { clock, store } = this.#options;
    const next = await store.alerting.alerts.nextDue();
    this.#cancelDue();
    if (next === undefined || this.#stopped) return;
    const wait = Math.min(Math.max(next - clock.now(), 0), 3_600_000);
    this.#cancelDue = clock.after(wait, () => {
      this.#queue
        .run(() => this.due())
        .catch((error: unknown) => {
          const message = isAppError(error) ? error.message : String(error);
          this.#options.log('error', 'alerts that are due could not be looked at; trying again', { message });
          this.#setTimerLater();
        });
    });
  }

  /** Until it is set: else nothing would look at what is due before the next alert changes. */
  #setTimerLater(): void {
    this.#cancelDue();
    this.#cancelDue = this.#options.clock.after(retryAfterMs, () => {
      this.#queue.run(() => this.#setTimer()).catch(() => this.#setTimerLater());
    });
  }
}

interface MutableChange {
  alerts: AlertRow[];
  events: NewEvent[];
  inbox: NewInboxEntry[];
  deliveries: NewDelivery[];
}

/** Receipt of the newest point that decided one of these alerts. */
function receivedAt(
  transitions: readonly DecidedTransition[],
  alerts: readonly AlertRow[],
): number | undefined {
  const ids = new Set(alerts.map(({ alertId }) => alertId));
  const times = transitions.filter(({ alert_id: id }) => ids.has(id)).map((one) => one.received_at);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The store cannot answer for now; it says nothing about what it was given. */
function isAway(error: unknown): boolean {
  return isAppError(error) && error.code === 'server.unavailable';
}
