import type {
  AlertEvent,
  AlertState,
  ChannelContent,
  Delivery,
  InhibitionContent,
  MaintenanceContent,
  Notification,
  NotificationPreferences,
  RuleContent,
  ScheduleContent,
  Severity,
  SilenceContent,
} from '@nowcast/contract';
import type { DecidedTransition } from './alert-evaluation.ts';
import type { AlertMessage } from './outgoing.ts';

/**
 * Rules, alerts and messages: the relational half of alerting. Part of `MetaStore`, whose guarantees hold here too
 * (durable, atomic, tenant first, read your writes, no clock).
 * A cursor that no page gave is refused with `request.invalid`.
 */
export interface AlertStore {
  readonly rules: RuleRepository;
  readonly policies: PolicyRepository;
  readonly alerts: AlertRepository;
  readonly inbox: InboxRepository;
  readonly deliveries: DeliveryRepository;
  readonly people: AlertPeopleRepository;
}

export interface RuleRow {
  ruleId: string;
  tenantId: string;
  userId: string;
  ownerName: string;
  content: RuleContent;
  /** 1 after creation, one more with every save. */
  version: number;
  /** Version of what is evaluated: grows only when that part of the content changed. */
  evaluationVersion: number;
  createdAt: number;
  updatedAt: number;
  /** What its owner was told keeps it from being evaluated; undefined: nothing. */
  problem: string | undefined;
}

export interface RuleRepository {
  /** False, and nothing stored, when the tenant already has `maxRules`. */
  create(tenantId: string, rule: Omit<RuleRow, 'tenantId' | 'ownerName'>, maxRules: number): Promise<boolean>;
  /** By name. */
  list(tenantId: string): Promise<RuleRow[]>;
  /** Of every tenant: what the engine must know at a start. */
  listAll(): Promise<RuleRow[]>;
  get(tenantId: string, ruleId: string): Promise<RuleRow | undefined>;
  /** Compare and swap on `version`; `saved: false` names the version that is there. Undefined: no such rule. */
  save(
    tenantId: string,
    ruleId: string,
    save: { content: RuleContent; baseVersion: number; evaluationVersion: number; at: number },
  ): Promise<{ saved: boolean; version: number } | undefined>;
  /**
   * Puts back what was there before the last save, versions included: it is as if that had not been. False, and nothing
   * changed, when somebody has saved since.
   */
  restore(before: RuleRow): Promise<boolean>;
  setProblem(tenantId: string, ruleId: string, problem: string | undefined): Promise<void>;
  /** Its alerts, transitions and messages stay. */
  delete(tenantId: string, ruleId: string): Promise<boolean>;
}

/** Small settings of a tenant that are written whole and read whole. */
export interface PolicyContents {
  silence: SilenceContent;
  maintenance: MaintenanceContent;
  inhibition: InhibitionContent;
  schedule: ScheduleContent;
  /** With its secrets; `signingSecret` signs `nowcast` webhooks. */
  channel: ChannelContent & { signingSecret: string };
}
export type PolicyKind = keyof PolicyContents;

export interface PolicyRow<K extends PolicyKind> {
  id: string;
  tenantId: string;
  kind: K;
  content: PolicyContents[K];
  userId: string;
  ownerName: string;
  createdAt: number;
}

export interface PolicyRepository {
  /** Oldest first. */
  list<K extends PolicyKind>(tenantId: string, kind: K): Promise<PolicyRow<K>[]>;
  get<K extends PolicyKind>(tenantId: string, kind: K, id: string): Promise<PolicyRow<K> | undefined>;
  /**
   * False, and nothing stored, when the tenant already has `most` of this kind. A silence that was over when the new one
   * was created makes room for it: the one that ended first is forgotten.
   */
  create<K extends PolicyKind>(
    tenantId: string,
    policy: Omit<PolicyRow<K>, 'tenantId' | 'ownerName'>,
    most: number,
  ): Promise<boolean>;
  /** False when there is none of this id. */
  update<K extends PolicyKind>(
    tenantId: string,
    kind: K,
    id: string,
    content: PolicyContents[K],
  ): Promise<boolean>;
  delete(tenantId: string, kind: PolicyKind, id: string): Promise<boolean>;
}

/** An alert as stored: what the wire shows, and what the notifier still owes. */
export interface AlertRow {
  alertId: string;
  tenantId: string;
  ruleId: string;
  /** As the rule was when it began. */
  ruleName: string;
  metricType: string;
  severity: Severity;
  /** Of the rule and the group; the group's win. */
  labels: Record<string, string>;
  state: AlertState;
  flapping: boolean;
  mutedBy: string | undefined;
  since: number;
  firedAt: number | undefined;
  acknowledgedAt: number | undefined;
  acknowledgedBy: string | undefined;
  snoozedUntil: number | undefined;
  resolvedAt: number | undefined;
  value: number | undefined;
  limit: number | undefined;
  message: string;
  runbookUrl: string;
  /** When people were last told that it fires; undefined: not yet. */
  notifiedAt: number | undefined;
  /** Escalation steps done. */
  escalated: number;
  /** From when the `after` of the next step counts; undefined: from when it fired. */
  escalatesFrom: number | undefined;
  /** Who has been told that it fires, so that they hear when it is over, whoever is on call or in the rule by then. */
  told: Told;
  /** Names what its messages belong to: its own id, or that of the alert with which its group began to flap. */
  tag: string;
  /** When the notifier must look at it again; undefined: only a transition or an act can change it. */
  dueAt: number | undefined;
}

export interface Told {
  userIds: readonly string[];
  channelIds: readonly string[];
}

export interface NewInboxEntry {
  notificationId: string;
  tenantId: string;
  userId: string;
  kind: Notification['kind'];
  severity: Severity;
  title: string;
  message: string;
  timestamp: number;
  ruleId: string | undefined;
  alertIds: readonly string[];
  /** From the receipt of the point that decided it to now, ms; absent: a delivery, a person or time did. */
  delayMs?: number | undefined;
  labels: Record<string, string>;
  value: number | undefined;
}

/** One message one way, to be made. */
export interface NewDelivery {
  /** The same for every attempt; unique. */
  deliveryId: string;
  tenantId: string;
  /** The inbox entry whose deliveries it is shown among; undefined: none. */
  notificationId: string | undefined;
  via: DeliveryVia;
  message: AlertMessage;
  /** Not before this, epoch ms: quiet hours and digests wait. */
  dueAt: number;
  /** Deliveries of one digest key that are due together go as one mail. */
  digestKey: string | undefined;
  /** Receipt of the point that decided it, epoch ms: its delay is counted from there. */
  receivedAt: number | undefined;
  /** What it speaks of, by name: by one way, messages of one tag go one after the other. Empty: it waits for none. */
  tags: readonly string[];
}

/** A way out by name; addresses and secrets are looked up when it is sent, so that they may change meanwhile. */
export type DeliveryVia =
  | { kind: 'channel'; channelId: string; name: string }
  | { kind: 'email'; userId: string }
  | { kind: 'push'; userId: string; deviceId: string };

/** Everything that follows from a batch of transitions, an act or a due time, in one transaction. */
export interface AlertChange {
  /** Position of the batch; the highest is kept. Undefined for acts and due times. */
  seq: number | undefined;
  transitions: readonly DecidedTransition[];
  /** Inserted or replaced whole. Those of its `events` are among these or stored. */
  alerts: readonly AlertRow[];
  events: readonly (AlertEvent & { tenantId: string; alertId: string })[];
  /** Those of people who are no members any more are left out, and ids that are stored already stay as they are. */
  inbox: readonly NewInboxEntry[];
  /**
   * Likewise. What stands before one of them (see `due`) is due no later than that one, if it has not failed yet or is
   * over by it (see `isOver`).
   */
  deliveries: readonly NewDelivery[];
}

export interface AlertFilter {
  /** Empty: all. An alert that was over before it fired is in no list. */
  states: readonly AlertState[];
  /** Absent: of any rule. */
  ruleIds?: readonly string[] | undefined;
  metricType?: string | undefined;
  /** Absent: all. */
  severities?: readonly Severity[] | undefined;
  /** Not well at some moment of [from, to), epoch ms: begun before its end, and not over at its start. */
  during?: { from: number; to: number } | undefined;
  accepts?: LabelTest | undefined;
  /** In rule name, message or labels, any case. */
  search?: string | undefined;
  limit: number;
  /** Opaque, from the page before. */
  cursor?: string | undefined;
}

/** Which labels are wanted. Asked once for each set of labels that the rest of a filter finds, before any limit. */
export type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

export interface TransitionFilter {
  ruleIds: readonly string[] | undefined;
  accepts?: LabelTest | undefined;
  from: number;
  to: number;
  limit: number;
}

export interface AlertRepository {
  /**
   * Stores the change whole. Refuses with `request.conflict`, reason `known_transition`, when a transition of it is
   * stored already: the caller leaves those out and decides again, so each transition has its consequences once.
   */
  apply(change: AlertChange): Promise<void>;
  /** Which of these are stored already. */
  knownTransitions(ids: readonly string[]): Promise<Set<string>>;
  /** Position of the newest batch stored; 0 when none is. */
  position(): Promise<number>;
  /** Newest first: by the last change of state. */
  list(tenantId: string, filter: AlertFilter): Promise<{ alerts: AlertRow[]; cursor: string | undefined }>;
  get(tenantId: string, alertId: string): Promise<AlertRow | undefined>;
  /** Oldest first. */
  events(tenantId: string, alertId: string): Promise<AlertEvent[]>;
  /** Alerts that are not resolved, of a tenant or of all. */
  active(tenantId?: string): Promise<AlertRow[]>;
  /** Those with one of these tags, or of this rule, that are not over, or of which it is still to be said that they are. */
  unended(tenantId: string, of: { tags: readonly string[] } | { ruleId: string }): Promise<AlertRow[]>;
  /** Alerts with `dueAt` at or before `now`, of all tenants, the longest due first. */
  due(now: number, limit: number): Promise<AlertRow[]>;
  /** Earliest `dueAt` of all; undefined: none. */
  nextDue(): Promise<number | undefined>;
  /**
   * The newest `limit` of those at [from, to), oldest first, with the name and severity their alert has; without an
   * alert they are left out.
   */
  transitions(
    tenantId: string,
    filter: TransitionFilter,
  ): Promise<(DecidedTransition & { rule_name: string; severity: Severity })[]>;
  /** Alerts of a rule whose state changed at or after a time, oldest first; of too many the newest. */
  changedSince(tenantId: string, ruleId: string, since: number, limit: number): Promise<AlertRow[]>;
  /**
   * Forgets a bounded part of the resolved alerts, transitions, events and messages older than `time`, and of the alerts
   * that were over before `neverFired` without having fired, with what belongs to them; true when there may be more.
   */
  forget(before: { time: number; neverFired: number }): Promise<boolean>;
}

export interface InboxFilter {
  unread?: boolean | undefined;
  severity?: Severity | undefined;
  search?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

export interface InboxRepository {
  /** Newest first, deliveries included. */
  list(
    tenantId: string,
    userId: string,
    filter: InboxFilter,
  ): Promise<{ notifications: Notification[]; cursor: string | undefined }>;
  get(tenantId: string, notificationId: string): Promise<Notification | undefined>;
  unread(tenantId: string, userId: string): Promise<number>;
  /** Marks these, or all, as read; returns how many are left unread. */
  markRead(tenantId: string, userId: string, ids: readonly string[] | 'all', at: number): Promise<number>;
}

export interface DeliveryRow extends NewDelivery {
  status: Delivery['status'];
  attempts: number;
  error: string;
  at: number;
}

/** Ways, as rows have them, and tenants. */
export interface BusyDeliveries {
  ways: readonly DeliveryVia[];
  tenants: readonly string[];
}

export interface DeliveryRepository {
  /**
   * Waiting or retrying with `dueAt` at or before `now`, the longest due first; without those that go a way or belong to
   * a tenant that is busy, however many of them are due, and without those that stand behind another: one of the same
   * way and of one of their tags that was stored earlier and has not ended.
   */
  due(now: number, limit: number, busy?: BusyDeliveries): Promise<DeliveryRow[]>;
  /** What is due of one digest, the longest due first. */
  dueOfDigest(digestKey: string, now: number, limit: number): Promise<DeliveryRow[]>;
  /** Earliest `dueAt` of those that stand behind none. */
  nextDue(): Promise<number | undefined>;
  /** Whether a message that says `resolved` stands behind this delivery for each of its tags; false if it has none. */
  isOver(deliveryId: string): Promise<boolean>;
  /**
   * How an attempt ended: one row, whole. One that is sent, failed or skipped has ended: it is never due again, and its
   * message is forgotten, so what follows from a failure (a fallback) is stored before. `delayMs` is stored with the
   * inbox entry by the first that is sent. An unknown id is ignored. Returns whether another stood behind one that has
   * ended by this.
   */
  finish(
    deliveryId: string,
    outcome: {
      status: Delivery['status'];
      attempts: number;
      error: string;
      at: number;
      dueAt: number | undefined;
      delayMs: number | undefined;
    },
  ): Promise<boolean>;
  /** The last delivery of each channel of a tenant that was sent or failed for good. */
  lastOfChannels(tenantId: string): Promise<Map<string, { at: number; ok: boolean; error: string }>>;
  /** Numbers by status, for the metrics. */
  counts(): Promise<Record<Delivery['status'], number>>;
}

export interface PushDeviceRow {
  deviceId: string;
  userId: string;
  tenantId: string;
  endpoint: string;
  p256dh: string;
  auth: string;
  device: string;
  createdAt: number;
  last: { at: number; ok: boolean; error: string } | undefined;
}

export interface AlertPeopleRepository {
  /** Undefined: as the contract's defaults. */
  preferences(tenantId: string, userId: string): Promise<NotificationPreferences | undefined>;
  setPreferences(tenantId: string, userId: string, preferences: NotificationPreferences): Promise<void>;
  /** Oldest first. */
  devices(tenantId: string, userId: string): Promise<PushDeviceRow[]>;
  device(tenantId: string, userId: string, deviceId: string): Promise<PushDeviceRow | undefined>;
  /**
   * The same endpoint again replaces the row and keeps its id; returns the id. False when there are `most` already, or
   * the person is no member. Others lose the endpoint, whatever their tenant: a browser speaks for who signed in last.
   */
  addDevice(device: PushDeviceRow, most: number): Promise<string | false>;
  noteDevice(deviceId: string, last: { at: number; ok: boolean; error: string }): Promise<void>;
  deleteDevice(tenantId: string, userId: string, deviceId: string): Promise<boolean>;
}
