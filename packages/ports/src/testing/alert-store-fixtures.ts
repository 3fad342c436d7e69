import { ruleContentSchema, type RuleContent } from '@nowcast/contract';
import type { DecidedTransition } from '../alert-evaluation.ts';
import type {
  AlertChange,
  AlertRow,
  AlertStore,
  NewDelivery,
  NewInboxEntry,
  PushDeviceRow,
  RuleRow,
} from '../alert-store.ts';
import type { MetaStore, UserRow } from '../meta-store.ts';
import type { MetaStoreHarness } from './meta-store.ts';

/** What the parts of the suite begin with: a store with two tenants. */
export class AlertBench {
  readonly harness: MetaStoreHarness;
  #store: MetaStore;

  constructor(harness: MetaStoreHarness) {
    this.harness = harness;
    this.#store = harness.store;
  }

  get store(): MetaStore {
    return this.#store;
  }

  get alerting(): AlertStore {
    return this.#store.alerting;
  }

  async reopen(): Promise<void> {
    this.#store = await this.harness.reopen();
  }
}

/** Tenants `acme` (owner ada, editor bob) and `globex` (owner eve, viewer bob). */
export async function startAlertBench(open: () => Promise<MetaStoreHarness>): Promise<AlertBench> {
  const harness = await open();
  const { tenants, members } = harness.store;
  await tenants.found({ tenantId: 'acme', name: 'Acme', createdAt: 1 }, person('ada'), undefined);
  await tenants.found({ tenantId: 'globex', name: 'Globex', createdAt: 2 }, person('eve'), undefined);
  await members.create('acme', person('bob'), 'editor');
  await members.add('globex', 'u_bob', 'viewer', 3);
  return new AlertBench(harness);
}

function person(name: string): UserRow {
  return {
    userId: `u_${name}`,
    username: name,
    email: `${name}@example.com`,
    name: name.toUpperCase(),
    passwordHash: '',
    preferences: {
      theme: 'system',
      density: 'comfortable',
      time_zone: 'browser',
      locale: 'browser',
      number_format: 'locale',
      reduced_motion: false,
      shortcuts: true,
    },
    createdAt: 1,
  };
}

export function ruleContent(name: string): RuleContent {
  return ruleContentSchema.parse({
    name,
    evaluation: {
      query: { metric_type: 'cpu_usage' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
  });
}

export function newRule(
  ruleId: string,
  name: string,
  userId = 'u_ada',
): Omit<RuleRow, 'tenantId' | 'ownerName'> {
  return {
    ruleId,
    userId,
    content: ruleContent(name),
    version: 1,
    evaluationVersion: 1,
    createdAt: 1000,
    updatedAt: 1000,
    problem: undefined,
  };
}

/** Firing since 1000, and whatever `extra` says. */
export function alertRow(alertId: string, extra: Partial<AlertRow> = {}): AlertRow {
  return {
    alertId,
    tenantId: 'acme',
    ruleId: 'r1',
    ruleName: 'CPU',
    metricType: 'cpu_usage',
    severity: 'warning',
    labels: { host: 'web-1' },
    state: 'firing',
    flapping: false,
    mutedBy: undefined,
    since: 1000,
    firedAt: 1000,
    acknowledgedAt: undefined,
    acknowledgedBy: undefined,
    snoozedUntil: undefined,
    resolvedAt: undefined,
    value: 91.5,
    limit: 80,
    message: 'too much to do',
    runbookUrl: '',
    notifiedAt: undefined,
    escalated: 0,
    escalatesFrom: undefined,
    told: { userIds: [], channelIds: [] },
    tag: alertId,
    dueAt: undefined,
    ...extra,
  };
}

export function transition(id: string, extra: Partial<DecidedTransition> = {}): DecidedTransition {
  return {
    tenant: 'acme',
    transition_id: id,
    alert_id: 'a1',
    rule_id: 'r1',
    labels: { host: 'web-1' },
    from: 'pending',
    to: 'firing',
    at: 1000,
    value: 91.5,
    limit: 80,
    reason: 'value',
    received_at: 1000,
    ...extra,
  };
}

export function inboxEntry(notificationId: string, extra: Partial<NewInboxEntry> = {}): NewInboxEntry {
  return {
    notificationId,
    tenantId: 'acme',
    userId: 'u_ada',
    kind: 'firing',
    severity: 'warning',
    title: 'CPU is above 80 %',
    message: 'too much to do',
    timestamp: 1000,
    ruleId: 'r1',
    alertIds: ['a1'],
    labels: { host: 'web-1' },
    value: 91.5,
    ...extra,
  };
}

export function newDelivery(deliveryId: string, extra: Partial<NewDelivery> = {}): NewDelivery {
  return {
    deliveryId,
    tenantId: 'acme',
    notificationId: 'n1',
    via: { kind: 'email', userId: 'u_ada' },
    message: {
      notificationId: 'n1',
      kind: 'firing',
      severity: 'warning',
      title: 'CPU is above 80 %',
      text: 'too much to do',
      at: 1000,
      tenantName: 'Acme',
      ruleId: 'r1',
      ruleName: 'CPU',
      url: '/alerts/a1',
      runbookUrl: '',
      alerts: [{ alertId: 'a1', labels: { host: 'web-1' }, value: 91.5, limit: 80, since: 1000 }],
      unit: 'none',
      tag: 'a1',
    },
    dueAt: 1000,
    digestKey: undefined,
    receivedAt: 990,
    tags: [],
    ...extra,
  };
}

/** Nothing but what `part` says. */
export function change(part: Partial<AlertChange>): AlertChange {
  return { seq: undefined, transitions: [], alerts: [], events: [], inbox: [], deliveries: [], ...part };
}

export function pushDevice(deviceId: string, extra: Partial<PushDeviceRow> = {}): PushDeviceRow {
  return {
    deviceId,
    userId: 'u_ada',
    tenantId: 'acme',
    endpoint: `https://push.example/${deviceId}`,
    p256dh: 'key',
    auth: 'secret',
    device: 'Firefox on Linux',
    createdAt: 1000,
    last: undefined,
    ...extra,
  };
}
