import { hiddenReason } from '@nowcast/alerts';
import type { Channel } from '@nowcast/contract';

/**
 * A channel as those see it who may choose it and not manage it: by its name and what it speaks. The path of a webhook
 * is its password with most services, and who gets mail is not everybody's business; why a delivery failed names both.
 */
export function withoutAddress(channel: Channel): Channel {
  const { config, last } = channel;
  const rest = { ...channel, last: last && { ...last, error: last.ok ? '' : hiddenReason } };
  if (config.kind === 'email') return { ...rest, config: { ...config, to: [] } };
  const url = URL.canParse(config.url) ? `${new URL(config.url).origin}/…` : '…';
  return { ...rest, config: { ...config, url, template: '', secret: '' } };
}
