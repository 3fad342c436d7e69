import type { AlertMessage, Destination, OutgoingDelivery } from '@nowcast/ports';

/** A message as the notifier makes them, with what a test changes. */
export function alertMessage(changes: Partial<AlertMessage> = {}): AlertMessage {
  return {
    notificationId: 'n-1',
    kind: 'firing',
    severity: 'critical',
    title: 'CPU is high on web-1',
    text: 'CPU has been above 80 % for 2 min.',
    at: Date.UTC(2026, 10, 24, 8, 5, 30),
    tenantName: 'Acme',
    ruleId: 'rule-1',
    ruleName: 'CPU',
    url: 'https://nowcast.example.com/alerts/a-1',
    runbookUrl: 'https://wiki.example.com/cpu',
    alerts: [
      {
        alertId: 'a-1',
        labels: { host: 'web-1' },
        value: 92.31,
        limit: 80,
        since: Date.UTC(2026, 10, 24, 8, 3, 30),
      },
    ],
    unit: 'percent',
    tag: 'alert.a-1',
    ...changes,
  };
}

export function deliveryTo(
  destination: Destination,
  message: Partial<AlertMessage> = {},
  key = 'delivery-1',
): OutgoingDelivery {
  return { key, destination, message: alertMessage(message) };
}

export function webhookTo(
  url: string,
  changes: Partial<Extract<Destination, { kind: 'webhook' }>> = {},
): Extract<Destination, { kind: 'webhook' }> {
  return {
    kind: 'webhook',
    url,
    format: 'nowcast',
    template: '',
    secret: '',
    signingSecret: 'signing-canary',
    ...changes,
  };
}
