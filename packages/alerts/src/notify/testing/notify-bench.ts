import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessService, can } from '@nowcast/access';
import { SqliteMetaStore } from '@nowcast/adapter-sqlite';
import { type Actor, type EvaluatedRule, preferencesSchema, type Role } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import type {
  AlertEvaluation,
  DecidedTransition,
  DeliveryOutcome,
  EvaluatedRuleStatus,
  OutgoingDelivery,
  TransitionBatch,
} from '@nowcast/ports';
import { AlertService } from '../alert-service.ts';

export const startMs = Date.parse('2026-11-02T10:00:00Z');

export function person(name: string, role: Role, tenant = 'acme'): Actor {
  return { kind: 'user', tenant_id: tenant, user_id: name, role, session_id: `session of ${name}` };
}

/** The alert service over a real store; the engine and the world answer what the test says. */
export class NotifyBench {
  readonly clock = new ManualClock(startMs);
  readonly sent: OutgoingDelivery[] = [];
  readonly confirmed: number[] = [];
  readonly put: { rule_id: string; version: number }[] = [];
  readonly removed: string[] = [];
  statuses: EvaluatedRuleStatus[] = [];
  /** What the engine does before it says how its rules stand. */
  beforeStatuses = (): void => {};
  /** Why the engine does not take a rule; undefined: it does. */
  refusal: (rule: EvaluatedRule) => Error | undefined = () => undefined;
  /** Read at a start. */
  email = true;
  preview: AlertEvaluation['preview'] = () => Promise.reject(new Error('no history here'));
  outcome: (delivery: OutgoingDelivery) => DeliveryOutcome | Promise<DeliveryOutcome> = () => ({ ok: true });
  store!: SqliteMetaStore;
  access!: AccessService;
  alerts!: AlertService;
  #folder = '';
  #seq = 0;
  #deliver: (batch: TransitionBatch) => void = () => {};

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'nowcast-notify-'));
    this.store = new SqliteMetaStore({ path: join(this.#folder, 'meta.db') });
    await this.store.run();
    this.access = new AccessService({ store: this.store, clock: this.clock });
    const { tenants, members } = this.store;
    await tenants.found({ tenantId: 'acme', name: 'Acme', createdAt: 1 }, user('ada'), undefined);
    await tenants.found({ tenantId: 'globex', name: 'Globex', createdAt: 1 }, user('zoe'), undefined);
    await members.create('acme', user('ed'), 'editor');
    await members.create('acme', user('vic'), 'viewer');
    await this.restart();
  }

  async restart(): Promise<void> {
    this.alerts = new AlertService({
      store: this.store,
      evaluation: this.#evaluation(),
      outgoing: {
        email: this.email,
        pushPublicKey: 'key',
        send: async (delivery) => {
          this.sent.push(delivery);
          return this.outcome(delivery);
        },
      },
      clock: this.clock,
      can,
      onRevoked: (listener) => this.access.onRevoked(listener),
      publicUrl: () => 'https://nowcast.example',
      log: () => {},
    });
    await this.alerts.run();
    await this.alerts.sending.run();
  }

  /** Ends the service; the store stays. */
  async halt(): Promise<void> {
    await this.alerts.sending.stop();
    await this.alerts.stop();
  }

  async stop(): Promise<void> {
    await this.halt();
    await this.access.stop();
    await this.store.stop();
    await rm(this.#folder, { recursive: true });
  }

  /** The service ends and another one begins on what is stored; the engine still knows of everything that is open. */
  async again(): Promise<void> {
    await this.halt();
    const counts = { ok: 0, pending: 0, firing: 0, no_data: 0 };
    this.statuses = (await this.store.alerting.alerts.active()).map(({ tenantId, ruleId, alertId }) => ({
      tenant: tenantId,
      ruleId,
      version: Number.MAX_SAFE_INTEGER,
      problem: undefined,
      counts,
      activeAlerts: [alertId],
    }));
    await this.restart();
  }

  /** A batch as the engine delivers it; returns its position. */
  tick(...transitions: Partial<DecidedTransition>[]): number {
    const seq = ++this.#seq;
    const now = this.clock.now();
    this.deliver({
      seq,
      transitions: transitions.map((one, index) => ({
        tenant: 'acme',
        transition_id: `t${seq}.${index}`,
        alert_id: 'a1',
        rule_id: '',
        labels: { host: 'web-1' },
        from: 'ok',
        to: 'firing',
        at: now,
        value: 93.1,
        limit: 80,
        reason: 'value',
        received_at: now,
        ...one,
      })),
    });
    return seq;
  }

  deliver(batch: TransitionBatch): void {
    this.#deliver(batch);
  }

  #evaluation(): AlertEvaluation {
    return {
      put: async (_tenant, rule) => {
        const refusal = this.refusal(rule);
        if (refusal !== undefined) throw refusal;
        this.put.push({ rule_id: rule.rule_id, version: rule.version });
      },
      remove: async (_tenant, ruleId) => void this.removed.push(ruleId),
      rules: async (tenant) => {
        this.beforeStatuses();
        return this.statuses.filter((status) => tenant === undefined || status.tenant === tenant);
      },
      preview: (...asked) => this.preview(...asked),
      onTransitions: (listener) => {
        this.#deliver = listener;
        return () => {};
      },
      confirm: (seq) => void this.confirmed.push(seq),
    };
  }
}

function user(name: string) {
  return {
    userId: name,
    username: name,
    email: `${name}@example.com`,
    name: `Name of ${name}`,
    passwordHash: '',
    preferences: preferencesSchema.parse({}),
    createdAt: 1,
  };
}
