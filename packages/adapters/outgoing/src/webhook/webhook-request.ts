import { createHmac } from 'node:crypto';
import { appError } from '@nowcast/contract';
import type { AlertMessage, Destination, OutgoingDelivery } from '@nowcast/ports';
import { parseUrl } from '../guarded-http.ts';
import { discordBody, slackBody, teamsBody, telegramBody } from './chat-formats.ts';
import { opsgenieRequest, pagerdutyBody } from './incident-formats.ts';
import { alertList, fillTemplate, templateProblem } from './template.ts';

export type WebhookDestination = Extract<Destination, { kind: 'webhook' }>;

interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/**
 * The POST that says a message in the format of a webhook. Throws `request.invalid` or `outgoing.refused` when the
 * channel cannot work. `nowMs` goes into the signature only: a receiver refuses old ones, so a retry is signed anew.
 */
export function webhookRequest(
  destination: WebhookDestination,
  { key, message }: OutgoingDelivery,
  nowMs: number,
): WebhookRequest {
  const url = parseUrl(destination.url);
  const { secret } = destination;
  const post = (to: URL | string, body: unknown, headers: Record<string, string> = {}): WebhookRequest => ({
    url: typeof to === 'string' ? to : to.href,
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  switch (destination.format) {
    case 'nowcast': {
      const body = JSON.stringify(nowcastBody(message));
      return post(url, body, { 'Nowcast-Signature': signature(body, destination.signingSecret, nowMs) });
    }
    case 'custom': {
      const body = fillTemplate(destination.template, message);
      return post(url, body, { 'Nowcast-Signature': signature(body, destination.signingSecret, nowMs) });
    }
    case 'slack':
      return post(url, slackBody(message));
    case 'discord':
      return post(url, discordBody(message));
    case 'teams':
      return post(url, teamsBody(message));
    case 'telegram':
      return post(telegramUrl(url), telegramBody(message, needed(secret, 'the id of the chat')));
    case 'pagerduty':
      if (url.pathname === '/') url.pathname = '/v2/enqueue';
      return post(url, pagerdutyBody(message, needed(secret, 'the integration key of the service')));
    default: {
      const request = opsgenieRequest(message, url);
      return post(request.url, request.body, {
        Authorization: `GenieKey ${needed(secret, 'the API key of the integration')}`,
      });
    }
  }
}

/** The body of the `nowcast` format; docs/webhooks.md tells receivers what it means. */
function nowcastBody(message: AlertMessage): unknown {
  return {
    version: 1,
    notification_id: message.notificationId,
    kind: message.kind,
    severity: message.severity,
    title: message.title,
    message: message.text,
    timestamp: message.at,
    tenant: message.tenantName,
    rule_id: message.ruleId,
    rule_name: message.ruleName,
    url: message.url,
    runbook_url: message.runbookUrl,
    unit: message.unit,
    tag: message.tag,
    alerts: alertList(message),
  };
}

/** `t` in seconds; what is signed is `t.body`, so that neither can be exchanged (the scheme of Stripe's webhooks). */
function signature(body: string, secret: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${mac}`;
}

/** `https://api.telegram.org/bot<token>`, with the method or without. */
function telegramUrl(url: URL): string {
  const path = url.pathname.replace(/\/$/, '');
  return new URL(`${path.endsWith('/sendMessage') ? path : `${path}/sendMessage`}${url.search}`, url).href;
}

function needed(secret: string, what: string): string {
  if (secret === '') throw appError('request.invalid', `the channel has no secret: give ${what}`);
  // It may go into a header; what HTTP cannot carry there is a slip of the clipboard.
  if (!/^[\u0021-\u007e]+$/.test(secret)) {
    throw appError('request.invalid', `the secret has spaces or characters beyond ASCII: give ${what}`);
  }
  return secret;
}

/** What is wrong with a channel before anything is sent; undefined: nothing that can be known. */
export function webhookProblem(destination: WebhookDestination): string | undefined {
  try {
    parseUrl(destination.url);
    if (destination.format === 'telegram') needed(destination.secret, 'the id of the chat');
    if (destination.format === 'pagerduty') needed(destination.secret, 'the integration key of the service');
    if (destination.format === 'opsgenie') needed(destination.secret, 'the API key of the integration');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return destination.format === 'custom' ? templateProblem(destination.template) : undefined;
}
