import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpApi } from '@nowcast/client';
import type { QueryInput, RuleContentInput } from '@nowcast/contract';
import { owner, type RunningServer, serve, startServer } from '@nowcast/e2e/server';
import { dataFolder } from '../harness/cache.ts';
import { get } from '../harness/http-client.ts';
import { tie } from '../harness/server-process.ts';
import { startOwnViewers, type Viewers } from '../harness/viewers.ts';

export interface Nowcast extends RunningServer {
  /** Session token of its owner. */
  token: string;
  api: HttpApi;
  /** For ingest. */
  headers: string[];
}

const plain = ['--no-collector', '--log-level', 'warn'];

/** Our own server as people run it, without its collector, which would add points of its own. */
export async function startNowcast(
  args: readonly string[] = [],
  folder = dataFolder('nowcast'),
): Promise<Nowcast> {
  const server = await startServer([...plain, ...args], folder);
  tie(server.pid, server.exit);
  return { ...server, ...(await signIn(server)), headers: [`Authorization: Bearer ${server.key}`] };
}

export type OpenedNowcast = Awaited<ReturnType<typeof serve>> & Pick<Nowcast, 'token' | 'api'>;

/** The same server again on the data that `startNowcast` made. */
export async function reopenNowcast(folder: string, args: readonly string[] = []): Promise<OpenedNowcast> {
  const server = await serve(folder, { args: [...plain, ...args] });
  tie(server.pid, server.exit);
  return { ...server, ...(await signIn({ ...server, login: owner })) };
}

/** What the server keeps of its memory of history for its next start, put away for the time of `run`. */
export async function withNothingHeld<T>(folder: string, run: () => Promise<T>): Promise<T> {
  const file = join(folder, 'engine.warm');
  const aside = `${file}.aside`;
  if (existsSync(file)) renameSync(file, aside);
  try {
    return await run();
  } finally {
    rmSync(file, { force: true });
    if (existsSync(aside)) renameSync(aside, file);
  }
}

/** Resolves once the server has loaded into memory what was asked for lately. */
export async function warmedUp(port: number): Promise<void> {
  const loads = async () => /^nowcast_warm_loads_total (\S+)/m.exec((await get(port, '/metrics')).body)?.[1];
  for (let before; before !== (before = await loads());) await delay(1500);
}

async function signIn({ url, login: { login, password } }: Pick<RunningServer, 'url' | 'login'>) {
  const api = new HttpApi({ url });
  const { token } = await api.login(login, password);
  return { api, token };
}

/** What boards ask for: gauges, event rates, quantiles, totals over hosts, top lists. */
const kinds: readonly Omit<QueryInput, 'metric_type'>[] = [
  { agg: 'avg' },
  { agg: 'avg', group_by: ['region'] },
  { agg: 'rate', step: '1s' },
  { agg: 'max', group_by: ['cluster'] },
  { agg: 'p95' },
  { agg: 'last', group_by: ['region'] },
  { agg: 'avg', across: 'sum' },
  { agg: 'increase', group_by: ['region'] },
  { agg: 'sum', group_by: ['cluster'], limit: 5 },
  { agg: 'count', step: '10s' },
];

/** Different live views of one metric, five boards of ten panels: their windows differ, so none is shared. */
export async function openViews(server: Nowcast, count: number): Promise<Viewers> {
  const queries = Array.from({ length: count }, (_, i) => ({
    metric_type: 'cpu_usage',
    window: `${15 + Math.floor(i / kinds.length)}m`,
    ...kinds[i % kinds.length]!,
  }));
  return startOwnViewers(server, 1, queries);
}

/**
 * Rules as people have them for a fleet, never firing: most watch one host, some one region or cluster, and ten look at
 * every point. A point is looked at by twelve of a hundred, on average.
 */
const watched: readonly ((i: number) => Pick<RuleContentInput['evaluation'], 'query' | 'group_by'>)[] = [
  ...Array.from({ length: 12 }, () => (i: number) => of('avg', { host: [`web-${i * 7}`] })),
  ...Array.from({ length: 4 }, () => (i: number) => of('max', { region: [`r${i % 10}`] }, ['host'])),
  ...Array.from({ length: 2 }, () => (i: number) => of('avg', { cluster: [`c${i % 50}`] })),
  (i) => of('avg', {}, [i % 40 < 20 ? 'host' : 'region']),
  (i) => of(i % 40 < 20 ? 'max' : 'p95', {}, i % 40 < 20 ? ['cluster'] : []),
];

function of(agg: 'avg' | 'max' | 'p95', where: Record<string, string[]>, group_by: string[] = []) {
  return { query: { metric_type: 'cpu_usage', agg, where }, group_by };
}

export async function makeRules(server: Nowcast, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const rule: RuleContentInput = {
      name: `Rule ${i}`,
      evaluation: {
        ...watched[i % watched.length]!(i),
        window: '1m',
        // No value is above 100.
        condition: { kind: 'threshold', op: 'above', value: 1000 + i },
      },
    };
    await server.api.call('POST', '/api/v1/rules', { body: rule });
  }
}
