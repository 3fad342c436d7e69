import { LiveClient, type LiveStatus } from '@nowcast/client';
import type { LinkState, LivePort } from './live-port.ts';

function linkState(status: LiveStatus): LinkState {
  if (status.offline) return { state: 'offline' };
  switch (status.state) {
    case 'live':
    case 'paused':
      return { state: 'live' };
    case 'waiting':
      return { state: 'reconnecting', atMs: Date.now() + (status.retryInMs ?? 0) };
    case 'refused':
    case 'closed':
      return { state: 'offline' };
    default:
      return { state: 'connecting' };
  }
}

/**
 * The page's one socket. The browser's hints (network back, tab seen again) shorten waits. `onRefused` is called
 * when the server ends the session: no number of attempts brings that back.
 */
export function connectLive(onRefused: () => void): LivePort {
  const client = new LiveClient({ url: location.origin });
  let status = linkState(client.status);
  const listeners = new Set<() => void>();
  client.onStatus((next) => {
    status = linkState(next);
    if (next.state === 'refused' && next.refusal?.code === 4401) onRefused();
    for (const listener of listeners) listener();
  });
  addEventListener('online', () => client.hint('online'));
  addEventListener('offline', () => client.hint('offline'));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') client.hint('visible');
  });
  return {
    subscribe(query, handlers) {
      const subscription = client.subscribe(query, handlers);
      return () => subscription.close();
    },
    follow: (handlers) => client.follow(['alerts', 'rules', 'notifications'], handlers),
    status: () => status,
    onStatus(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
    serverNow: () => client.serverNow(),
    lagMs: () => client.lagMs ?? null,
    connect: () => client.connect(),
  };
}
