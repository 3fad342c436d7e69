import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { webhookFormats } from '@nowcast/contract';
import type { AlertMessage } from '@nowcast/ports';
import { hostileTexts } from '../testing/hostile-texts.ts';
import { alertMessage, webhookTo } from '../testing/messages.ts';
import { vendorProblem, vendors } from '../testing/vendor-schemas.ts';
import { webhookProblem, webhookRequest } from './webhook-request.ts';

const nowMs = Date.UTC(2026, 10, 24, 8, 6);

function made(
  format: (typeof webhookFormats)[number],
  changes: { url?: string; secret?: string; template?: string; message?: Partial<AlertMessage> } = {},
) {
  const { url = 'https://hooks.example.com/in', message, ...rest } = changes;
  const destination = webhookTo(url, { format, secret: 'key-1', ...rest });
  const request = webhookRequest(
    destination,
    { key: 'delivery-1', destination, message: alertMessage(message) },
    nowMs,
  );
  return { ...request, json: JSON.parse(request.body) };
}

describe('our own format', () => {
  test('the body is the documented JSON, and the signature covers time and body', () => {
    const { json, body, headers } = made('nowcast');
    expect(json).toEqual({
      version: 1,
      notification_id: 'n-1',
      kind: 'firing',
      severity: 'critical',
      title: 'CPU is high on web-1',
      message: 'CPU has been above 80 % for 2 min.',
      timestamp: 1795507530000,
      tenant: 'Acme',
      rule_id: 'rule-1',
      rule_name: 'CPU',
      url: 'https://nowcast.example.com/alerts/a-1',
      runbook_url: 'https://wiki.example.com/cpu',
      unit: 'percent',
      tag: 'alert.a-1',
      alerts: [{ alert_id: 'a-1', labels: { host: 'web-1' }, value: 92.31, limit: 80, since: 1795507410000 }],
    });
    const [t, v1] = headers['Nowcast-Signature']!.split(',').map((part) => part.split('=')[1]);
    expect(t).toBe(String(nowMs / 1000));
    expect(v1).toBe(createHmac('sha256', 'signing-canary').update(`${t}.${body}`).digest('hex'));
    expect(headers['Idempotency-Key']).toBe('delivery-1');
  });

  test('numbers that JSON does not know are null', () => {
    const alert = alertMessage().alerts[0]!;
    const alerts = [{ ...alert, value: Number.POSITIVE_INFINITY, limit: undefined }];
    expect(made('nowcast', { message: { alerts } }).json.alerts).toMatchObject([
      { value: null, limit: null },
    ]);
  });
});

describe('chat services', () => {
  test('Slack: text for the notification, blocks in the color of the severity, links', () => {
    const { json } = made('slack');
    expect(json.text).toBe('Critical: Firing: CPU is high on web-1');
    const [attachment] = json.attachments;
    expect(attachment.color).toBe('#b91c1c');
    expect(attachment.blocks[0].text).toEqual({ type: 'plain_text', text: 'Firing: CPU is high on web-1' });
    expect(attachment.blocks[2].fields[0].text).toBe(
      '*host=web-1*\n92.3 % (limit 80 %), since 2026-11-24 08:03 UTC',
    );
    expect(attachment.blocks[3].text.text).toBe(
      '<https://nowcast.example.com/alerts/a-1|Open in Nowcast>  ·  <https://wiki.example.com/cpu|Runbook>',
    );
  });

  test('Slack: a label can neither mention the channel nor make a link', () => {
    const title = '<!channel> <https://evil.example|click> & co';
    const { body } = made('slack', { message: { title, text: title, alerts: [] } });
    expect(body).not.toContain('<!channel>"');
    expect(JSON.parse(body).text).toContain('&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; co');
  });

  test('Discord: one embed within its limits, nobody mentioned, markup escaped', () => {
    const { json } = made('discord', { message: { text: '[click](https://evil.example) **x**' } });
    expect(json.allowed_mentions).toEqual({ parse: [] });
    expect(json.embeds[0]).toMatchObject({
      title: String.raw`Firing\: CPU is high on web\-1`,
      color: 0xb91c1c,
      timestamp: '2026-11-24T08:05:30.000Z',
    });
    expect(json.embeds[0].description).toContain(String.raw`\[click\]\(https\://evil.example\) \*\*x\*\*`);
  });

  test('Teams: an adaptive card of version 1.4 in a message, as workflows take it', () => {
    const { json } = made('teams', { message: { text: '[click](https://evil.example)' } });
    expect(json.type).toBe('message');
    const [{ contentType, content }] = json.attachments;
    expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
    expect(content.body[0]).toMatchObject({ text: 'Firing: CPU is high on web-1', color: 'attention' });
    expect(content.body[1].text).toBe(String.raw`\[click\](https://evil.example)`);
    expect(content.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Open in Nowcast', url: 'https://nowcast.example.com/alerts/a-1' },
      { type: 'Action.OpenUrl', title: 'Runbook', url: 'https://wiki.example.com/cpu' },
    ]);
  });

  test('Telegram: sendMessage of the bot in the address, to the chat that is the secret', () => {
    for (const end of ['', '/', '/sendMessage']) {
      const { url, json } = made('telegram', {
        url: `https://api.telegram.org/bot1:token${end}`,
        secret: '-100123',
        message: { title: '<b>&', severity: 'warning' },
      });
      expect(url).toBe('https://api.telegram.org/bot1:token/sendMessage');
      expect(json).toMatchObject({ chat_id: '-100123', parse_mode: 'HTML' });
      expect(json.text).toMatch(/^<b>Firing: &lt;b&gt;&amp;<\/b>\n/);
    }
  });
});

describe('incident services', () => {
  test.each([
    ['firing', 'trigger'],
    ['escalated', 'trigger'],
    ['acknowledged', 'acknowledge'],
    ['resolved', 'resolve'],
  ] as const)('PagerDuty: %s is %s, under the tag', (kind, action) => {
    const { url, json } = made('pagerduty', { url: 'https://events.pagerduty.com', message: { kind } });
    expect(url).toBe('https://events.pagerduty.com/v2/enqueue');
    expect(json).toMatchObject({ routing_key: 'key-1', event_action: action, dedup_key: 'alert.a-1' });
    expect('payload' in json).toBe(action === 'trigger');
  });

  test('PagerDuty: what it needs to show an incident', () => {
    const { json } = made('pagerduty');
    expect(json.payload).toMatchObject({
      summary: 'Firing: CPU is high on web-1',
      source: 'host=web-1',
      severity: 'critical',
      timestamp: '2026-11-24T08:05:30.000Z',
    });
  });

  test('Opsgenie: made by alias, acknowledged and closed by it', () => {
    const base = { url: 'https://api.eu.opsgenie.com' };
    const create = made('opsgenie', base);
    expect(create.url).toBe('https://api.eu.opsgenie.com/v2/alerts');
    expect(create.headers['Authorization']).toBe('GenieKey key-1');
    expect(create.json).toMatchObject({ alias: 'alert.a-1', priority: 'P1' });
    const tag = 'a/b c?';
    expect(made('opsgenie', { ...base, message: { kind: 'resolved', tag } }).url).toBe(
      'https://api.eu.opsgenie.com/v2/alerts/a%2Fb%20c%3F/close?identifierType=alias',
    );
    expect(made('opsgenie', { ...base, message: { kind: 'acknowledged' } }).url).toBe(
      'https://api.eu.opsgenie.com/v2/alerts/alert.a-1/acknowledge?identifierType=alias',
    );
  });
});

describe('a template of the user', () => {
  const template = `{
    "text": "{{severity}} {{title}} at {{ value }} of {{limit}} on {{labels.host}}{{labels.none}}",
    "value": {{value}}, "since": {{since}}, "labels": {{labels}}, "missing": {{labels.none}}, "alerts": {{alerts}}
  }`;

  test('placeholders are text inside strings and JSON values outside', () => {
    expect(made('custom', { template }).json).toEqual({
      text: 'critical CPU is high on web-1 at 92.3 % of 80 % on web-1',
      value: 92.31,
      since: 1795507410000,
      labels: { host: 'web-1' },
      missing: null,
      alerts: [{ alert_id: 'a-1', labels: { host: 'web-1' }, value: 92.31, limit: 80, since: 1795507410000 }],
    });
  });

  test('whatever a label or a title holds, it stays the text of its member', () => {
    const texts = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary' }));
    const seed = 6;
    fc.assert(
      fc.property(texts, texts, (host, title) => {
        const alerts = [{ ...alertMessage().alerts[0]!, labels: { host } }];
        const { json } = made('custom', {
          template: '{"a": "<{{labels.host}}>", "b": {{title}}, "c": "\\"{{title}}\\\\"}',
          message: { title, alerts },
        });
        // JSON text has no lone surrogates; they become the replacement character or an escape of themselves.
        expect(json).toEqual({ a: `<${host}>`, b: title, c: `"${title}\\` });
      }),
      { seed },
    );
  });

  test.each([
    ['', /not JSON once it is filled in/],
    ['{"text": "{{title}}"', /not JSON/],
    ['{"text": {{title}} {{title}}}', /not JSON/],
    ['{"text": "{{titel}}"}', /has \{\{titel\}\}; there are title, text,.*and labels\.NAME/],
    ['{"text": "{{constructor}}"}', /has \{\{constructor\}\}/],
    ['plain {{title}}', /not JSON/],
  ])('%j is refused with what is wrong', (broken, message) => {
    expect(webhookProblem(webhookTo('https://x.example', { format: 'custom', template: broken }))).toMatch(
      message,
    );
    expect(() => made('custom', { template: broken })).toThrow(message);
  });

  test('a reason never quotes what was filled in', () => {
    const broken = '{"text": {{title}} x}';
    expect(() => made('custom', { template: broken, message: { title: 'canary' } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('canary') }),
    );
  });
});

describe('what can be known before sending', () => {
  test('an address that is none, a missing key, a key that no header can carry', () => {
    expect(webhookProblem(webhookTo('nonsense'))).toMatch(/not a URL/);
    expect(webhookProblem(webhookTo('https://x.example', { format: 'pagerduty' }))).toMatch(
      /integration key/,
    );
    expect(webhookProblem(webhookTo('https://x.example', { format: 'telegram' }))).toMatch(/id of the chat/);
    expect(webhookProblem(webhookTo('https://x.example', { format: 'opsgenie', secret: 'a\r\nb' }))).toMatch(
      /spaces or characters/,
    );
    for (const format of ['nowcast', 'slack', 'discord', 'teams'] as const) {
      expect(webhookProblem(webhookTo('https://x.example', { format }))).toBeUndefined();
    }
  });
});

const kinds: AlertMessage['kind'][] = ['firing', 'resolved', 'acknowledged', 'flapping', 'digest', 'test'];

test.each(vendors)('%s takes what it is sent, whatever the texts are and however long', (format) => {
  for (const text of [...hostileTexts, '', ' ', '\n', '&'.repeat(5000), '*_`['.repeat(2000)]) {
    const alert = alertMessage().alerts[0]!;
    const message: Partial<AlertMessage> = {
      title: text,
      text: text.repeat(3),
      ruleName: text,
      tenantName: text,
      url: text,
      runbookUrl: `https://wiki.example.com/?${'&'.repeat(750)}`,
      tag: text === '' ? 'tag' : text.slice(0, 200),
      alerts: Array.from({ length: 30 }, () => ({ ...alert, labels: { [text]: text } })),
    };
    for (const kind of kinds) {
      const { body } = made(format, { message: { ...message, kind } });
      expect([kind, text.slice(0, 20), vendorProblem(format, body)]).toEqual([
        kind,
        text.slice(0, 20),
        undefined,
      ]);
      expect(vendorProblem(format, made(format, { message: { kind, alerts: [], text: '' } }).body)).toBe(
        undefined,
      );
    }
  }
});

test('our own format cuts nothing', () => {
  for (const text of hostileTexts)
    expect(made('nowcast', { message: { title: text } }).json.title).toBe(text);
});

test('what checks this refuses what a service would', () => {
  const { json } = made('discord');
  json.embeds[0].title = 'x'.repeat(257);
  expect(vendorProblem('discord', JSON.stringify(json))).toContain('embeds[0].title');
  expect(vendorProblem('slack', '{"text":"x"}')).toContain('attachments');
});
