import type { PolicyRow } from '@nowcast/ports';

/** Services that keep incidents of their own open and close one for each alert. */
export function keepsIncidents({ content: { config } }: PolicyRow<'channel'>): boolean {
  return config.kind === 'webhook' && (config.format === 'pagerduty' || config.format === 'opsgenie');
}

/** Programs that keep a state for each alert, which would not end if they were not told. */
export function keepsState(channel: PolicyRow<'channel'>): boolean {
  const { config } = channel.content;
  if (config.kind !== 'webhook') return false;
  if (config.format === 'custom') return /\{\{\s*(?:state|kind)\s*\}\}/.test(config.template);
  return config.format === 'nowcast' || keepsIncidents(channel);
}
