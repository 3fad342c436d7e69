import { formatDuration } from '@nowcast/contract';
import type { AlertChart, AlertMessage } from '@nowcast/ports';
import { chartSize } from '../chart/alert-chart.ts';
import {
  accentColor,
  escapeMarkup,
  facts,
  headline,
  labelText,
  links,
  oneLine,
  severityWords,
  shortened,
} from '../message-text.ts';

/** Subject, text and HTML of a mail. All that users wrote is escaped here; `chartCid` is the picture's id, if any. */
export interface MailContent {
  subject: string;
  text: string;
  html: string;
}

export function mailContent(message: AlertMessage, chartCid: string | undefined): MailContent {
  // `=?` would begin an encoded word (RFC 2047), in which a reader finds line ends that nobody sees here.
  const title = headline(message).replaceAll('=?', '= ?');
  const subject = shortened(`[${severityWords[message.severity]}] ${title}`, 180);
  const footer = `${oneLine(message.tenantName)} · sent by Nowcast`;
  const missing = message.chartProblem === undefined ? [] : [`There is no picture: ${message.chartProblem}`];
  const text = [
    headline(message),
    ...(message.text === '' ? [] : ['', message.text]),
    '',
    ...facts(message).map(({ name, value }) => `${name}: ${value}`),
    '',
    ...missing,
    ...links(message).map(({ title, url }) => `${title}: ${url}`),
    '',
    '-- ',
    footer,
    '',
  ].join('\n');
  return { subject, text, html: htmlOf(message, chartCid, footer) };
}

const font = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif';

/** One table, styles inline: what mail readers agree on. */
function htmlOf(message: AlertMessage, chartCid: string | undefined, footer: string): string {
  const cell = (content: string, style = ''): string =>
    `<tr><td style="padding:0 24px 16px;${font};${style}">${content}</td></tr>`;
  const rows = facts(message).map(
    ({ name, value }) =>
      `<tr><td style="padding:4px 16px 4px 0;color:#4b5563;vertical-align:top">${escapeMarkup(name)}</td><td style="padding:4px 0;color:#111827">${escapeMarkup(value)}</td></tr>`,
  );
  const buttons = links(message).map(
    ({ title, url }, index) =>
      `<a href="${escapeMarkup(url)}" style="display:inline-block;margin-right:8px;padding:10px 16px;border-radius:6px;text-decoration:none;${index === 0 ? 'background:#111827;color:#ffffff' : 'border:1px solid #d1d5db;color:#111827'}">${title}</a>`,
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light">',
    `<title>${escapeMarkup(headline(message))}</title></head><body style="margin:0;background:#f3f4f6">`,
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px 8px">',
    `<table role="presentation" width="608" cellpadding="0" cellspacing="0" style="max-width:608px;background:#ffffff;border-top:4px solid ${accentColor(message)}">`,
    cell(
      escapeMarkup(severityWords[message.severity]),
      `padding-top:24px;padding-bottom:4px;font-size:13px;font-weight:600;color:${accentColor(message)}`,
    ),
    cell(escapeMarkup(headline(message)), 'font-size:20px;font-weight:600;line-height:1.3;color:#111827'),
    ...(message.text === ''
      ? []
      : [
          cell(
            escapeMarkup(message.text).replaceAll(/\r\n|\r|\n/g, '<br>'),
            'font-size:15px;line-height:1.5;color:#111827',
          ),
        ]),
    ...pictureOf(message, chartCid).map(({ content, style }) => cell(content, style)),
    cell(
      `<table role="presentation" cellpadding="0" cellspacing="0" style="font-size:14px;line-height:1.4;${font}">${rows.join('')}</table>`,
    ),
    ...(buttons.length === 0 ? [] : [cell(buttons.join(''), 'font-size:14px')]),
    cell(escapeMarkup(footer), 'font-size:12px;color:#6b7280;padding-bottom:24px'),
    '</table></td></tr></table></body></html>',
  ].join('\n');
}

const noteStyle = 'font-size:13px;line-height:1.4;color:#4b5563';

/** The picture with what it shows, or why there is none. */
function pictureOf(
  { chart, chartProblem, alerts }: AlertMessage,
  chartCid: string | undefined,
): { content: string; style: string }[] {
  if (chart === undefined || chartCid === undefined) {
    if (chartProblem === undefined) return [];
    return [{ content: escapeMarkup(`There is no picture: ${chartProblem}`), style: noteStyle }];
  }
  const caption = escapeMarkup(captionOf(chart, shortened(labelText(alerts[0]?.labels ?? {}), 200)));
  const { width, height } = chartSize;
  return [
    {
      content: `<img src="cid:${chartCid}" width="${width}" height="${height}" alt="${caption}" style="display:block;width:100%;max-width:${width}px;height:auto;border:0">`,
      style: 'padding-bottom:4px',
    },
    { content: caption, style: noteStyle },
  ];
}

const hourMs = 3_600_000;

/** `host=web-1: the last hour until 08:05 UTC. Dashed: the limit. Shaded: firing.` */
function captionOf({ from, to, limits, firing }: AlertChart, subject: string): string {
  const lasting = to - from === hourMs ? 'hour' : formatDuration(to - from);
  return [
    `${subject === '' ? 'The' : `${subject}: the`} last ${lasting} until ${new Date(to).toISOString().slice(11, 16)} UTC.`,
    ...(limits.length === 0 ? [] : [`Dashed: the ${limits.length === 1 ? 'limit' : 'limits'}.`]),
    ...(firing.length === 0 ? [] : ['Shaded: firing.']),
  ].join(' ');
}
