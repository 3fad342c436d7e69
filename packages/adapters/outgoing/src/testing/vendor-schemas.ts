import * as z from 'zod/mini';

/**
 * What each service documents that it takes, written from its documentation and not from our code: members, their
 * lengths, and how large the whole may be. Whatever is not named here, we do not send.
 */
const text = (least: number, most: number) => z.string().check(z.minLength(least), z.maxLength(most));
const link = z.string().check(z.regex(/^https?:\/\/[^\s<>"]+$/));
const isoTime = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));

/** docs.slack.dev, "Block Kit": header, section. */
const slackText = (least: number, most: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: text(least, most) });
const slackBlock = z.union([
  z.strictObject({
    type: z.literal('header'),
    text: z.strictObject({ type: z.literal('plain_text'), text: text(1, 150) }),
  }),
  z.strictObject({ type: z.literal('section'), text: slackText(1, 3000) }),
  z.strictObject({
    type: z.literal('section'),
    fields: z.array(slackText(1, 2000)).check(z.minLength(1), z.maxLength(10)),
  }),
]);
const slack = z.strictObject({
  text: text(1, 4000),
  attachments: z.array(
    z.strictObject({
      color: z.string().check(z.regex(/^#[\da-f]{6}$/)),
      blocks: z.array(slackBlock).check(z.minLength(1), z.maxLength(50)),
    }),
  ),
});

/** discord.com/developers, "Execute Webhook" and "Embed Limits". */
const discordEmbed = z.strictObject({
  title: text(1, 256),
  description: z.string().check(z.maxLength(4096)),
  url: z.optional(link),
  color: z.int().check(z.gte(0), z.lte(0xffffff)),
  fields: z
    .array(z.strictObject({ name: text(1, 256), value: text(1, 1024), inline: z.boolean() }))
    .check(z.maxLength(25)),
  timestamp: isoTime,
});
const discord = z.strictObject({
  username: text(1, 80),
  allowed_mentions: z.strictObject({ parse: z.array(z.never()) }),
  embeds: z.array(discordEmbed).check(
    z.maxLength(10),
    z.refine((embeds) => {
      const parts = embeds.flatMap(({ title, description, fields }) => [
        title,
        description,
        ...fields.flatMap(({ name, value }) => [name, value]),
      ]);
      return parts.join('').length <= 6000;
    }, 'over 6,000 characters in all embeds'),
  ),
});

/** learn.microsoft.com, "Create incoming webhooks with Workflows"; adaptivecards.io, version 1.4. */
const teamsBlock = z.union([
  z.strictObject({
    type: z.literal('TextBlock'),
    text: text(1, 28_000),
    wrap: z.literal(true),
    weight: z.optional(z.literal('Bolder')),
    size: z.optional(z.literal('Medium')),
    color: z.optional(z.enum(['good', 'accent', 'warning', 'attention'])),
  }),
  z.strictObject({
    type: z.literal('FactSet'),
    facts: z.array(z.strictObject({ title: text(1, 2000), value: text(1, 2000) })).check(z.minLength(1)),
  }),
]);
const teams = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      contentUrl: z.null(),
      content: z.strictObject({
        $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
        type: z.literal('AdaptiveCard'),
        version: z.literal('1.4'),
        msteams: z.strictObject({ width: z.literal('Full') }),
        fallbackText: text(1, 2000),
        body: z.array(teamsBlock),
        actions: z
          .array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: text(1, 100), url: link }))
          .check(z.maxLength(6)),
      }),
    }),
  ]),
});

/** core.telegram.org/bots/api, `sendMessage`, "HTML style": the length counts once markup and entities are read. */
const telegram = z.strictObject({
  chat_id: text(1, 100),
  text: z.string().check(
    z.refine((markup) => {
      const shown = markup
        .replaceAll(/<\/?b>|<a href="https?:[^"<>]*">|<\/a>/g, '')
        .replaceAll(/&(?:amp|lt|gt|quot|#39);/g, 'x');
      return shown.length >= 1 && shown.length <= 4096 && !/[<>&]/.test(shown);
    }, 'not 1 to 4,096 characters in the markup that it knows'),
  ),
  parse_mode: z.literal('HTML'),
  link_preview_options: z.strictObject({ is_disabled: z.literal(true) }),
  disable_notification: z.optional(z.literal(true)),
});

/** PagerDuty's Events API v2, "Send an alert event"; the whole may have 512 KB. */
const pagerdutyKeys = { routing_key: text(1, 32), dedup_key: text(1, 255) };
const pagerduty = z.union([
  z.strictObject({ ...pagerdutyKeys, event_action: z.enum(['acknowledge', 'resolve']) }),
  z.strictObject({
    ...pagerdutyKeys,
    event_action: z.literal('trigger'),
    client: text(1, 255),
    client_url: z.optional(link),
    payload: z.strictObject({
      summary: text(1, 1024),
      source: text(1, 1024),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: isoTime,
      group: z.string().check(z.maxLength(255)),
      custom_details: z.record(z.string(), z.string()),
    }),
    links: z.array(z.strictObject({ href: link, text: text(1, 1024) })),
  }),
]);

/** docs.opsgenie.com, "Alert API": create, acknowledge, close. */
const opsgenie = z.union([
  z.strictObject({
    message: text(1, 130),
    alias: text(1, 512),
    description: z.string().check(z.maxLength(15_000)),
    priority: z.enum(['P1', 'P2', 'P3', 'P4', 'P5']),
    source: text(1, 100),
    entity: z.string().check(z.maxLength(512)),
    details: z
      .record(z.string(), z.string())
      .check(z.refine((details) => Object.entries(details).flat().join('').length <= 8000, 'over 8,000')),
  }),
  z.strictObject({ source: text(1, 100), note: z.string().check(z.maxLength(25_000)) }),
]);

const schemas = { slack, discord, teams, telegram, pagerduty, opsgenie } as const;
const mostBytes = { teams: 28 * 1024, pagerduty: 512 * 1024 } as const;
export const vendors = ['slack', 'discord', 'teams', 'telegram', 'pagerduty', 'opsgenie'] as const;

/** What a service would refuse of a body, in words; undefined: nothing that it documents. */
export function vendorProblem(vendor: (typeof vendors)[number], body: string): string | undefined {
  const most = vendor in mostBytes ? mostBytes[vendor as keyof typeof mostBytes] : Number.POSITIVE_INFINITY;
  if (Buffer.byteLength(body) > most) return `over ${most} bytes`;
  const read = z.safeParse(schemas[vendor], JSON.parse(body));
  return read.success ? undefined : z.prettifyError(read.error);
}
