/**
 * Tables of alerting. Times are `real`: due times are computed (backoff with jitter) and some come from people, and a
 * fraction of a millisecond must not fail a transaction that holds transitions; SQLite stores whole ones as integers.
 *
 * - Rules and policies have an owner among the members, as boards have: they are handed over before one is removed.
 * - Alerts and what happened to them do not refer to their rule: they outlive it. Transitions do not refer to their
 *   alert either: the engine may speak of one that a restored backup does not know, and its id must be stored all the
 *   same.
 * - Inbox, preferences, devices and what is still to be sent to a person end with the membership.
 */
export const alertTables: readonly string[] = [
  `create table alert_rules (
    rule_id text not null, tenant_id text not null references tenants on delete cascade, user_id text not null,
    name_key text not null, content text not null, version integer not null, evaluation_version integer not null,
    created_at real not null, updated_at real not null, problem text,
    primary key (tenant_id, rule_id),
    foreign key (tenant_id, user_id) references memberships) strict`,
  'create index alert_rules_by_owner on alert_rules (tenant_id, user_id)',
  `create table alert_policies (
    policy_id text not null, tenant_id text not null references tenants on delete cascade, kind text not null,
    user_id text not null, content text not null, created_at real not null,
    primary key (tenant_id, kind, policy_id),
    foreign key (tenant_id, user_id) references memberships) strict`,
  'create index alert_policies_by_owner on alert_policies (tenant_id, user_id)',
  `create table alerts (
    alert_id text not null, tenant_id text not null references tenants on delete cascade,
    rule_id text not null, rule_name text not null, metric_type text not null, severity text not null,
    labels text not null, state text not null, flapping integer not null, muted_by text,
    since real not null, fired_at real, acknowledged_at real, acknowledged_by text, snoozed_until real,
    resolved_at real, value real, limit_value real, message text not null, runbook_url text not null,
    notified_at real, escalated integer not null, due_at real,
    changed_at real not null, search_key text not null,
    primary key (tenant_id, alert_id)) strict`,
  'create index alerts_by_change on alerts (tenant_id, changed_at, alert_id)',
  'create index alerts_by_rule on alerts (tenant_id, rule_id, changed_at, alert_id)',
  "create index alerts_active on alerts (tenant_id, changed_at, alert_id) where state <> 'resolved'",
  'create index alerts_due on alerts (due_at) where due_at is not null',
  `create table alert_transitions (
    position integer primary key,
    transition_id text not null unique, tenant_id text not null references tenants on delete cascade,
    alert_id text not null, rule_id text not null, labels text not null,
    from_state text not null, to_state text not null, at real not null,
    value real, limit_value real, reason text not null, received_at real not null) strict`,
  'create index alert_transitions_by_time on alert_transitions (tenant_id, at)',
  'create index alert_transitions_by_rule on alert_transitions (tenant_id, rule_id, at)',
  `create table alert_events (
    position integer primary key, tenant_id text not null, alert_id text not null,
    at real not null, kind text not null, user_name text not null, note text not null, value real,
    foreign key (tenant_id, alert_id) references alerts on delete cascade) strict`,
  'create index alert_events_by_alert on alert_events (tenant_id, alert_id)',
  `create table notifications (
    notification_id text primary key, tenant_id text not null, user_id text not null,
    kind text not null, severity text not null, title text not null, message text not null,
    timestamp real not null, rule_id text, alert_ids text not null, first_alert_id text,
    labels text not null, value real, read_at real, delay_ms real, search_key text not null,
    foreign key (tenant_id, user_id) references memberships on delete cascade) strict`,
  'create index notifications_by_time on notifications (tenant_id, user_id, timestamp, notification_id)',
  `create index notifications_unread on notifications (tenant_id, user_id, timestamp, notification_id)
    where read_at is null`,
  `create table alert_deliveries (
    delivery_id text primary key, tenant_id text not null references tenants on delete cascade,
    notification_id text, user_id text, channel_id text, via text not null, message text,
    due_at real, digest_key text, received_at real,
    status text not null, attempts integer not null, error text not null, at real not null,
    foreign key (tenant_id, user_id) references memberships on delete cascade) strict`,
  'create index alert_deliveries_due on alert_deliveries (due_at) where due_at is not null',
  'create index alert_deliveries_by_notification on alert_deliveries (tenant_id, notification_id)',
  'create index alert_deliveries_by_channel on alert_deliveries (tenant_id, channel_id, at) where channel_id is not null',
  'create index alert_deliveries_by_person on alert_deliveries (tenant_id, user_id) where user_id is not null',
  'create index alert_deliveries_by_status on alert_deliveries (status)',
  `create table notification_preferences (
    tenant_id text not null, user_id text not null, content text not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references memberships on delete cascade) strict, without rowid`,
  `create table push_devices (
    device_id text primary key, tenant_id text not null, user_id text not null,
    endpoint text not null, p256dh text not null, auth text not null, device text not null,
    created_at real not null, last_at real, last_ok integer, last_error text,
    unique (tenant_id, user_id, endpoint),
    foreign key (tenant_id, user_id) references memberships on delete cascade) strict`,
  'create index push_devices_by_endpoint on push_devices (endpoint)',
];

/** Who was told of an alert; and deliveries that are due are found past busy ways and tenants without a look at their rows. */
export const toldAndDue = [
  `alter table alerts add column told text not null default '{"userIds":[],"channelIds":[]}'`,
  'drop index alert_deliveries_due',
  `create index alert_deliveries_due on alert_deliveries (due_at, at, tenant_id, channel_id, via)
    where due_at is not null`,
];

/** Messages of one tag go one after the other by each way: what has not ended, and what stands behind it. */
export const messagesInOrder = [
  `create table delivery_order (
    position integer primary key,
    delivery_id text not null references alert_deliveries on delete cascade,
    tenant_id text not null, way text not null, tag text not null, is_end integer not null) strict`,
  'create index delivery_order_by_delivery on delivery_order (delivery_id)',
  'create index delivery_order_by_way on delivery_order (tenant_id, way, tag, position)',
  `insert into delivery_order (delivery_id, tenant_id, way, tag, is_end)
    select delivery_id, tenant_id, iif(channel_id is null, via, 'channel ' || channel_id),
      alert.value ->> 'alertId', message ->> 'kind' = 'resolved'
    from alert_deliveries, json_each(message, '$.alerts') as alert
    where message is not null and digest_key is null and message ->> 'kind' <> 'test'
    order by alert_deliveries.rowid, alert.key`,
  "alter table alerts add column tag text not null default ''",
  'alter table alerts add column escalates_from real',
  `create index alert_deliveries_by_digest on alert_deliveries (digest_key, due_at, at)
    where digest_key is not null and due_at is not null`,
  'update alerts set tag = alert_id',
];

/** What is old is found without a look at all the rest. */
export const oldestFirst = [
  'create index alerts_fired_by_end on alerts (resolved_at) where fired_at is not null',
  'create index alerts_never_fired_by_end on alerts (resolved_at) where fired_at is null',
  'create index alert_transitions_by_age on alert_transitions (at)',
  'create index notifications_by_age on notifications (timestamp)',
  'create index alert_deliveries_by_age on alert_deliveries (at) where due_at is null',
];
