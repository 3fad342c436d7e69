import type { AlertRow } from '@nowcast/ports';
import { SqliteMetaStore } from '../sqlite-meta-store.ts';

/**
 * Applies numbered changes, a transition, an alert, an inbox entry and a delivery each, until it is killed, and prints
 * each number once its change was answered. Begins after the position that is stored, as a restarted notifier does.
 */
const tenantId = 't';
const userId = 'u';
const store = new SqliteMetaStore({ path: process.argv[2] ?? '' });
await store.run();
const { alerts } = store.alerting;

function alert(i: number): AlertRow {
  return {
    alertId: `alert ${i}`,
    tenantId,
    ruleId: 'rule',
    ruleName: 'CPU',
    metricType: 'cpu_usage',
    severity: 'warning',
    labels: { host: `h${i}` },
    state: 'firing',
    flapping: false,
    mutedBy: undefined,
    since: i,
    firedAt: i,
    acknowledgedAt: undefined,
    acknowledgedBy: undefined,
    snoozedUntil: undefined,
    resolvedAt: undefined,
    value: i,
    limit: undefined,
    message: 'x'.repeat(2000),
    runbookUrl: '',
    notifiedAt: i,
    escalated: 0,
    escalatesFrom: i,
    told: { userIds: [], channelIds: [] },
    tag: `alert ${i}`,
    dueAt: undefined,
  };
}

for (let i = (await alerts.position()) + 1; ; i += 1) {
  const notificationId = `notification ${i}`;
  const title = `alert ${i}`;
  const labels = { host: `h${i}` };
  await alerts.apply({
    seq: i,
    transitions: [
      {
        tenant: tenantId,
        transition_id: `transition ${i}`,
        alert_id: `alert ${i}`,
        rule_id: 'rule',
        labels,
        from: 'ok',
        to: 'firing',
        at: i,
        value: i,
        limit: null,
        reason: 'value',
        received_at: i,
      },
    ],
    alerts: [alert(i)],
    events: [{ tenantId, alertId: `alert ${i}`, at: i, kind: 'firing', user_name: '', note: '', value: i }],
    inbox: [
      {
        notificationId,
        tenantId,
        userId,
        kind: 'firing',
        severity: 'warning',
        title,
        message: '',
        timestamp: i,
        ruleId: 'rule',
        alertIds: [`alert ${i}`],
        labels,
        value: i,
      },
    ],
    deliveries: [
      {
        deliveryId: `delivery ${i}`,
        tenantId,
        notificationId,
        via: { kind: 'email', userId },
        message: {
          notificationId,
          kind: 'firing',
          severity: 'warning',
          title,
          text: '',
          at: i,
          tenantName: 'T',
          ruleId: 'rule',
          ruleName: 'CPU',
          url: '',
          runbookUrl: '',
          alerts: [{ alertId: `alert ${i}`, labels, value: i, limit: undefined, since: i }],
          unit: 'none',
          tag: title,
        },
        dueAt: i,
        digestKey: undefined,
        receivedAt: i,
        tags: [`alert ${i}`],
      },
    ],
  });
  process.stdout.write(`${i}\n`);
}
