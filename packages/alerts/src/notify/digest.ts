import { severities } from '@nowcast/contract';
import type { AlertMessage, DeliveryRow } from '@nowcast/ports';

const linesShown = 50;

/** One mail for many messages: the oldest first, as severe as the most severe. At least one row. */
export function digestMessage(rows: readonly DeliveryRow[]): AlertMessage {
  const messages = rows.map(({ message }) => message).sort((a, b) => a.at - b.at);
  const newest = messages.at(-1);
  if (newest === undefined) throw new RangeError('a digest has at least one message');
  const strongest = Math.max(...messages.map(({ severity }) => severities.indexOf(severity)));
  const lines = messages
    .slice(-linesShown)
    .map(({ at, kind, title, text }) => `${new Date(at).toISOString()} ${kind}: ${title}. ${text}`);
  const left = messages.length - lines.length;
  return {
    ...newest,
    kind: 'digest',
    severity: severities[strongest] ?? newest.severity,
    title: `${messages.length} messages`,
    text: [...(left > 0 ? [`${left} earlier ones are in the inbox`] : []), ...lines].join('\n'),
    ruleId: '',
    ruleName: '',
    runbookUrl: '',
    alerts: [],
    url: '/alerts',
    tag: 'digest',
  };
}
