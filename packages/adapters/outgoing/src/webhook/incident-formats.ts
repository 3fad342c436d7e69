import type { AlertMessage } from '@nowcast/ports';
import { facts, headline, labelText, links, oneLine, shortened } from '../message-text.ts';

/** Services that keep incidents: the message's tag is the key by which a later one acknowledges or resolves it. */

/**
 * PagerDuty Events API v2. https://developer.pagerduty.com/docs/events-api-v2-overview. `routing` is the
 * integration's key. A dedup key has at most 255 characters.
 */
export function pagerdutyBody(message: AlertMessage, routing: string): unknown {
  const event = {
    routing_key: routing,
    event_action: incidentAction(message),
    dedup_key: shortened(message.tag, 255),
  };
  if (event.event_action !== 'trigger') return event;
  return {
    ...event,
    client: 'Nowcast',
    ...(links(message)[0] === undefined ? {} : { client_url: links(message)[0]?.url }),
    payload: {
      summary: shortened(headline(message), 1024),
      source: shortened(
        labelText(message.alerts[0]?.labels ?? {}) || oneLine(message.ruleName) || 'nowcast',
        250,
      ),
      severity: message.severity,
      timestamp: new Date(message.at).toISOString(),
      group: shortened(message.ruleName, 250),
      custom_details: details(message),
    },
    links: links(message).map(({ title, url }) => ({ href: url, text: title })),
  };
}

/**
 * Opsgenie Alert API (also Jira Service Management's). https://docs.opsgenie.com/docs/alert-api. Made by alias,
 * acknowledged and closed by it; `base` is the address of its API, of the EU or elsewhere.
 */
export function opsgenieRequest(message: AlertMessage, base: URL): { url: string; body: unknown } {
  const alias = shortened(message.tag, 512).toWellFormed();
  const root = new URL(base);
  if (root.pathname === '/') root.pathname = '/v2/alerts';
  const action = incidentAction(message);
  if (action === 'trigger') {
    return {
      url: root.href,
      body: {
        message: shortened(headline(message), 130),
        alias,
        description: shortened(message.text, 10_000),
        priority: { info: 'P5', warning: 'P3', critical: 'P1' }[message.severity],
        source: 'Nowcast',
        entity: shortened(labelText(message.alerts[0]?.labels ?? {}), 512),
        details: details(message),
      },
    };
  }
  root.pathname = `${root.pathname.replace(/\/$/, '')}/${encodeURIComponent(alias)}/${action === 'resolve' ? 'close' : 'acknowledge'}`;
  root.search = '?identifierType=alias';
  return { url: root.href, body: { source: 'Nowcast', note: shortened(message.text, 2000) } };
}

function incidentAction(message: AlertMessage): 'trigger' | 'acknowledge' | 'resolve' {
  if (message.kind === 'resolved') return 'resolve';
  return message.kind === 'acknowledged' ? 'acknowledge' : 'trigger';
}

/** Opsgenie takes 8,000 characters in all. */
function details(message: AlertMessage): Record<string, string> {
  return Object.fromEntries([
    ...(message.text === '' ? [] : [['Text', shortened(message.text, 1000)]]),
    ...facts(message).map(({ name, value }) => [shortened(name, 200), shortened(value, 300)]),
    ...links(message).map(({ title, url }) => [title, url]),
  ]) as Record<string, string>;
}
