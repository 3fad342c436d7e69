import { LiveClient } from '@nowcast/client';
import type { QueryInput } from '@nowcast/contract';
import { type Options, runsOf } from '../harness/measure.ts';
import { interleave, type Row, type Run } from '../harness/rounds.ts';
import { dropFromPageCache } from '../harness/storage.ts';
import { reopenNowcast, warmedUp, withNothingHeld } from '../servers/nowcast.ts';
import type { History } from './query-subjects.ts';

export const coldBoard = 'board of 12 panels, cold';
const day = 86_400_000;

/** What a board of a fleet shows of a day: lines by region and cluster, some hosts, totals, top lists, quantiles. */
const panels: readonly Omit<QueryInput, 'metric_type'>[] = [
  { agg: 'avg' },
  { agg: 'avg', group_by: ['region'] },
  { agg: 'max', group_by: ['region'] },
  { agg: 'avg', group_by: ['cluster'] },
  { agg: 'p95' },
  { agg: 'p99', group_by: ['region'] },
  { agg: 'avg', across: 'sum' },
  { agg: 'sum', group_by: ['host'], limit: 10, step: '1h' },
  { agg: 'avg', where: { host: ['web-7'] } },
  { agg: 'max', where: { host: ['web-8', 'web-9'] }, group_by: ['host'] },
  { agg: 'count', step: '1h' },
  { agg: 'last', where: { region: ['r3'] }, group_by: ['host'], limit: 5 },
];

/**
 * A board of twelve panels over the last day of the stored history, from dialling to the twelfth snapshot: the first
 * thing asked of a server that was restarted, with its files dropped from the page cache; once with what the server
 * held when it was stopped, once without.
 */
export async function measureColdBoard(folder: string, { endMs }: History, options: Options): Promise<Row[]> {
  const range = { from: endMs - day, to: endMs };
  const queries = panels.map((panel) => ({ metric_type: 'cpu_usage', ...panel, ...range }));
  const run = async (): Promise<Run> => {
    dropFromPageCache(folder);
    const server = await reopenNowcast(folder);
    try {
      const figures = { board_ms: await open(server, queries), again_ms: await open(server, queries) };
      await warmedUp(server.port);
      return { figures };
    } finally {
      await server.stop();
    }
  };
  const subjects = [
    { name: 'nowcast', run },
    { name: 'nowcast, nothing held', run: () => withNothingHeld(folder, run) },
  ];
  return interleave(subjects, { measure: 'query', case: coldBoard, runs: runsOf(options, 3), settleMs: 0 });
}

/** Milliseconds until every panel has its data. */
async function open(server: { url: string; token: string }, queries: readonly QueryInput[]): Promise<number> {
  const began = performance.now();
  const client = new LiveClient({ url: server.url, token: server.token });
  const snapshot = (query: QueryInput) =>
    new Promise<void>((resolve, reject) => {
      client.subscribe(query, {
        onSnapshot: ({ series }) => {
          if (series.length > 0) resolve();
          else reject(new Error(`a panel without data: ${JSON.stringify(query)}`));
        },
        onDelta: () => undefined,
        onNotice: ({ message }) => reject(new Error(message)),
      });
    });
  await Promise.all(queries.map(snapshot));
  const ms = performance.now() - began;
  client.close();
  return ms;
}
