import type { Channel } from '@nowcast/contract';

/**
 * A channel as those see it who may choose it and not manage it: by its name and what it speaks. The path of a webhook
 * is its password with most services, and who gets mail is not everybody's business.
 */
export function withoutAddress(channel: Channel): Channel {
  const { config } = channel;
  if (config.kind === 'email') return { ...channel, config: { ...config, to: [] } };
  const url = URL.canParse(config.url) ? `${new URL(config.url).origin}/…` : '…';
  return { ...channel, config: { ...config, url, template: '', secret: '' } };
}
