import type { NotifyInfo } from '@nowcast/contract';
import type { Service, Unsubscribe } from '@nowcast/kernel';
import { PictureReader } from './alert-picture.ts';
import { DeliveryWorker } from './delivery-worker.ts';
import { DirectSend } from './direct-send.ts';
import { EventHub, type EventListener } from './event-hub.ts';
import { sayDeliveriesFailed } from './failed-delivery.ts';
import { FirstAttempts } from './first-attempts.ts';
import { InboxService } from './inbox-service.ts';
import { LifeService } from './life-service.ts';
import { Notifier } from './notifier.ts';
import type { NotifyOptions } from './notify-options.ts';
import { PolicyService } from './policy-service.ts';
import type { NotifyParts } from './notify-parts.ts';
import { RuleService } from './rule-service.ts';
import { RuleWatch } from './rule-watch.ts';
import { TenantBook } from './tenant-book.ts';
import { TestSends } from './test-sends.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * Alerting as people meet it: rules, alerts, inbox, messages, and the settings that say who hears what and when. One
 * face for the routes; what happens is in the services behind it. Start it when the engine answers, and `sending` when
 * the page's address is known.
 */
export class AlertService implements Service {
  readonly #options: NotifyOptions;
  readonly #parts: NotifyParts;
  readonly #rules: RuleService;
  readonly #life: LifeService;
  readonly #policies: PolicyService;
  readonly #inbox: InboxService;
  readonly #worker: DeliveryWorker;
  readonly #watch: RuleWatch;
  readonly #direct: DirectSend;
  #unsubscribe: Unsubscribe[] = [];

  readonly listRules: RuleService['list'] = (actor) => this.#rules.list(actor);
  readonly getRule: RuleService['get'] = (actor, id) => this.#rules.get(actor, id);
  readonly createRule: RuleService['create'] = (actor, content) => this.#rules.create(actor, content);
  readonly saveRule: RuleService['save'] = (actor, id, save) => this.#rules.save(actor, id, save);
  readonly deleteRule: RuleService['delete'] = (actor, id) => this.#rules.delete(actor, id);
  readonly previewRule: RuleService['preview'] = (actor, input, signal) =>
    this.#rules.preview(actor, input, signal);
  readonly testRule: RuleService['test'] = (actor, id) => this.#rules.test(actor, id);
  readonly testDraft: RuleService['testDraft'] = (actor, draft) => this.#rules.testDraft(actor, draft);
  readonly listAlerts: LifeService['list'] = (actor, filter) => this.#life.list(actor, filter);
  readonly getAlert: LifeService['get'] = (actor, id) => this.#life.get(actor, id);
  readonly alertSeries: LifeService['series'] = (actor, id, signal) => this.#life.series(actor, id, signal);
  readonly acknowledge: LifeService['acknowledge'] = (actor, id, act) =>
    this.#life.acknowledge(actor, id, act);
  readonly unacknowledge: LifeService['unacknowledge'] = (actor, id) => this.#life.unacknowledge(actor, id);
  readonly snooze: LifeService['snooze'] = (actor, id, act) => this.#life.snooze(actor, id, act);
  readonly transitions: LifeService['transitions'] = (actor, filter) => this.#life.transitions(actor, filter);
  readonly listPolicies: PolicyService['list'] = (actor, kind) => this.#policies.list(actor, kind);
  readonly createPolicy: PolicyService['create'] = (actor, kind, content) =>
    this.#policies.create(actor, kind, content);
  readonly updatePolicy: PolicyService['update'] = (actor, kind, id, content) =>
    this.#policies.update(actor, kind, id, content);
  readonly deletePolicy: PolicyService['delete'] = (actor, kind, id) =>
    this.#policies.delete(actor, kind, id);
  readonly previewMaintenance: PolicyService['previewMaintenance'] = (actor, content) =>
    this.#policies.previewMaintenance(actor, content);
  readonly previewSchedule: PolicyService['previewSchedule'] = (actor, content) =>
    this.#policies.previewSchedule(actor, content);
  readonly testChannel: PolicyService['testChannel'] = (actor, id) => this.#policies.testChannel(actor, id);
  readonly notifications: InboxService['notifications'] = (actor, filter) =>
    this.#inbox.notifications(actor, filter);
  readonly markRead: InboxService['markRead'] = (actor, ids) => this.#inbox.markRead(actor, ids);
  readonly preferences: InboxService['preferences'] = (actor) => this.#inbox.preferences(actor);
  readonly setPreferences: InboxService['setPreferences'] = (actor, preferences) =>
    this.#inbox.setPreferences(actor, preferences);
  readonly devices: InboxService['devices'] = (actor) => this.#inbox.devices(actor);
  readonly addDevice: InboxService['addDevice'] = (actor, input) => this.#inbox.addDevice(actor, input);
  readonly testDevice: InboxService['testDevice'] = (actor, id) => this.#inbox.testDevice(actor, id);
  readonly deleteDevice: InboxService['deleteDevice'] = (actor, id) => this.#inbox.deleteDevice(actor, id);

  constructor(options: NotifyOptions) {
    this.#options = options;
    const book = new TenantBook(options.store);
    const queue = new WorkQueue();
    const events = new EventHub(options.store);
    const notifier = new Notifier(options, { book, queue, events, wakeWorker: () => this.#worker.wake() });
    const attempts = new FirstAttempts(options.clock);
    const tests = new TestSends(options);
    this.#parts = { options, book, queue, events, notifier, tests, attempts };
    this.#direct = new DirectSend(options);
    this.#rules = new RuleService(this.#parts);
    this.#life = new LifeService(this.#parts);
    this.#policies = new PolicyService(this.#parts, this.#direct);
    this.#inbox = new InboxService(this.#parts, this.#direct);
    this.#worker = new DeliveryWorker(options, {
      direct: this.#direct,
      attempts,
      pictures: new PictureReader(options, book),
      onFailed: (rows, error) => sayDeliveriesFailed(this.#parts, rows, error),
    });
    this.#watch = new RuleWatch(this.#parts);
  }

  /** Hands out what is stored: from now on, and what the last run left. Links need the port to be open. */
  get sending(): Service {
    return {
      run: () => Promise.resolve(this.#worker.start()),
      stop: () => this.#worker.stop(),
    };
  }

  /** Reads what is open, and takes over from the engine. */
  async run(): Promise<void> {
    const { book, queue, notifier } = this.#parts;
    const { evaluation, onRevoked } = this.#options;
    await Promise.all([book.load(), notifier.load()]);
    // Subscribed before the first look, so that a batch the engine delivers again is stored in its order.
    this.#unsubscribe = [
      evaluation.onTransitions((batch) => void queue.run(() => notifier.batch(batch))),
      onRevoked(({ kind, tenant }) => {
        if (kind === 'membership') book.forget(tenant);
      }),
    ];
    await this.#watch.start();
    await queue.run(() => notifier.due());
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#watch.stop();
    this.#parts.notifier.stop();
    await this.#parts.queue.idle();
  }

  /** What this installation can send. */
  info(): NotifyInfo {
    const { email, pushPublicKey } = this.#options.outgoing;
    return { email, push_public_key: pushPublicKey };
  }

  /** Calls for everything that open pages should hear of, at most once, after it was stored. */
  onEvent(listener: EventListener): Unsubscribe {
    return this.#parts.events.subscribe(listener);
  }
}
