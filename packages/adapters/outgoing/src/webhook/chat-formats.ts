import type { AlertMessage } from '@nowcast/ports';
import {
  accentColor,
  escapeMarkup,
  facts,
  headline,
  links,
  severityWords,
  shortened,
} from '../message-text.ts';

/**
 * Bodies of chat services. Each has a markup in which a label value could speak to everybody, make a link or forge a
 * line; each text is cut to the service's limit first and escaped then, so that no escape is cut in half.
 */

/** Slack incoming webhook (docs.slack.dev, "Block Kit"). `<`, `>` and `&` are all of its control characters. */
export function slackBody(message: AlertMessage): unknown {
  const text = (plain: string, most: number): string =>
    shortened(plain, most).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  // Ten fields of 2,000 characters and sections of 3,000 at most, escapes included (`&` becomes five).
  const fields = facts(message, 5).map(({ name, value }) => ({
    type: 'mrkdwn',
    text: `*${text(name, 150)}*\n${text(value, 150)}`,
  }));
  const linkLine = links(message)
    .map(({ title, url }) => `<${url.replaceAll('|', '%7C').replaceAll('&', '&amp;')}|${title}>`)
    .filter(({ length }) => length < 1400)
    .join('  ·  ');
  return {
    text: text(`${severityWords[message.severity]}: ${headline(message)}`, 500),
    attachments: [
      {
        color: accentColor(message),
        blocks: [
          { type: 'header', text: { type: 'plain_text', text: shortened(headline(message), 150) } },
          ...(message.text === ''
            ? []
            : [{ type: 'section', text: { type: 'mrkdwn', text: text(message.text, 600) } }]),
          { type: 'section', fields },
          ...(linkLine === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: linkLine } }]),
        ],
      },
    ],
  };
}

/** Discord webhook (discord.com/developers, "Execute Webhook"): one embed, nobody is mentioned, 6,000 characters at most. */
export function discordBody(message: AlertMessage): unknown {
  const url = links(message)[0]?.url;
  const linkLine = links(message)
    .map((link) => `[${link.title}](<${link.url}>)`)
    .join(' · ');
  return {
    username: 'Nowcast',
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: escapeMarkdown(shortened(headline(message), 120)),
        description: `${escapeMarkdown(shortened(message.text, 600))}\n\n${linkLine}`.trim(),
        ...(url === undefined ? {} : { url }),
        color: Number.parseInt(accentColor(message).slice(1), 16),
        fields: facts(message, 5).map(({ name, value }) => ({
          name: escapeMarkdown(shortened(name, 60)),
          value: escapeMarkdown(shortened(value, 80)),
          inline: true,
        })),
        timestamp: new Date(message.at).toISOString(),
      },
    ],
  };
}

/** Punctuation that Markdown could read as markup; a mention also needs its `@` or `<` to be bare. */
function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()<>#+\-!|~:@]/g, String.raw`\$&`);
}

/**
 * Microsoft Teams through a workflow ("Post to a channel when a webhook request is received"): an Adaptive Card in a
 * message. Office 365 connectors and their MessageCard are retired. Text blocks know a part of Markdown.
 */
export function teamsBody(message: AlertMessage): unknown {
  const style = message.kind === 'resolved' ? 'good' : cardStyles[message.severity];
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          fallbackText: shortened(headline(message), 200),
          body: [
            {
              type: 'TextBlock',
              text: escapeCard(shortened(headline(message), 200)),
              weight: 'Bolder',
              size: 'Medium',
              color: style,
              wrap: true,
            },
            ...(message.text === ''
              ? []
              : [{ type: 'TextBlock', text: escapeCard(shortened(message.text, 2000)), wrap: true }]),
            {
              type: 'FactSet',
              facts: facts(message).map(({ name, value }) => ({
                title: escapeCard(shortened(name, 200)),
                value: escapeCard(shortened(value, 200)),
              })),
            },
          ],
          actions: links(message).map(({ title, url }) => ({ type: 'Action.OpenUrl', title, url })),
        },
      },
    ],
  };
}

const cardStyles = { info: 'accent', warning: 'warning', critical: 'attention' } as const;

/** A card renders links, emphasis and lists; entities are shown as what they name. */
function escapeCard(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]]/g, String.raw`\$&`);
}

/** Telegram Bot API, `sendMessage`; at most 4,096 characters after its markup is read. `chat` is the chat's id. */
export function telegramBody(message: AlertMessage, chat: string): unknown {
  const lines = [
    `<b>${escapeMarkup(shortened(headline(message), 250))}</b>`,
    ...(message.text === '' ? [] : [escapeMarkup(shortened(message.text, 1500))]),
    '',
    ...facts(message).map(
      ({ name, value }) =>
        `<b>${escapeMarkup(shortened(name, 70))}</b>: ${escapeMarkup(shortened(value, 70))}`,
    ),
    '',
    links(message)
      .map(({ title, url }) => `<a href="${escapeMarkup(url)}">${title}</a>`)
      .join(' · '),
  ];
  return {
    chat_id: chat,
    text: lines.join('\n').trim(),
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
    ...(message.severity === 'info' ? { disable_notification: true } : {}),
  };
}
