import type { QueryInput } from '@nowcast/contract';
import { every } from './broadcasters.ts';
import type { Nowcast } from './nowcast.ts';

/** All viewers of a measure come from this machine's one address. */
export const manyConnections = ['--max-connections-per-address', '100000', '--max-connections', '100000'];

/** The live views of a board whose panels each show one metric by host. */
export function viewsOf(count: number): QueryInput[] {
  return Array.from({ length: count }, (_, i) => ({
    metric_type: `load_${i}`,
    agg: 'last',
    group_by: ['host'],
    window: '5m',
    step: '1s',
  }));
}

export interface Feed {
  views: number;
  /** Of each view; all of them change with every request. */
  series: number;
  hz: number;
}

/** Sends a new value of every series at a fixed rate, one request each time; returns what ends it. */
export async function feed(server: Nowcast, { views, series, hz }: Feed): Promise<() => Promise<void>> {
  const send = async () => {
    let body = '';
    for (let view = 0; view < views; view++)
      for (let host = 0; host < series; host++)
        body += `load_${view},host=h${host} value=${(50 + Math.random() * 10).toFixed(2)}\n`;
    const headers = { authorization: `Bearer ${server.key}` };
    const answer = await fetch(`${server.url}/write`, { method: 'POST', headers, body });
    if (answer.status !== 204) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
  };
  await send();
  let sending: Promise<void> | undefined;
  const stop = every(hz, () => {
    // One at a time: a server that is slow is asked less often, not more and more.
    sending ??= send().finally(() => (sending = undefined));
    sending.catch(() => undefined);
  });
  return async () => {
    stop();
    await sending;
  };
}
