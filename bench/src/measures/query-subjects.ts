import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { get } from '../harness/http-client.ts';
import type { BenchServer } from '../harness/server-process.ts';
import { bytesOfTable, bytesOnDisk } from '../harness/storage.ts';
import { reopenNowcast, startNowcast } from '../servers/nowcast.ts';
import { startInfluxDb, startVictoriaMetrics } from '../servers/peers.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
export const series = 1000;
const days = 30;

/** Questions are about past days, so that they mean the same however long ago the data was loaded. */
export interface History {
  points: number;
  startMs: number;
  stepMs: number;
  endMs: number;
}

export function historyOf(points: number, endMs: number): History {
  const stepMs = Math.floor((days * day) / (points / series));
  const end = Math.floor(endMs / hour) * hour;
  return { points, stepMs, startMs: end - (points / series) * stepMs, endMs: end };
}

export const questions = [
  'one series, 6 h in 300 buckets',
  '30 days by region, 1 h buckets',
  'top 10 by sum over 24 h',
  'p99 of all series a minute, 1 h',
] as const;
export type Question = (typeof questions)[number];

/** What is asked of a server, so that each can say it in its own language. */
type Times = Record<Question, { from: number; to: number; step: number }>;

function timesOf(history: History): Times {
  // Ten days back, where no server has it in the memory of what just came in.
  const to = history.endMs - 10 * day;
  return {
    'one series, 6 h in 300 buckets': { from: to - 6 * hour, to, step: 72_000 },
    '30 days by region, 1 h buckets': { from: history.endMs - days * day, to: history.endMs, step: hour },
    'top 10 by sum over 24 h': { from: to - day, to, step: day },
    'p99 of all series a minute, 1 h': { from: to - hour, to, step: minute },
  };
}

export interface Asked {
  path: string;
  headers?: Record<string, string>;
}

export interface RunningSubject extends BenchServer {
  question(of: Question): Asked;
}

/** A server that is given the history, and can be left and come back to it. */
export interface QuerySubject {
  name: string;
  folder: string;
  /** The first time on an empty folder, later on what is in it. */
  start(): Promise<RunningSubject & { loadPath: string; loadHeaders: readonly string[] }>;
  /** Resolves once all that was sent is where it stays. */
  settled(server: RunningSubject): Promise<void>;
  /** Bytes on disk by what they are. */
  disk(): Record<string, number>;
}

export function querySubjects(root: string, history: History, peers: boolean): QuerySubject[] {
  const times = timesOf(history);
  const own = nowcast(join(root, 'nowcast'), times);
  if (!peers) return [own];
  return [
    own,
    victoriaMetrics(join(root, 'victoria-metrics'), times),
    influxDb(join(root, 'influxdb'), times),
  ];
}

function nowcast(folder: string, times: Times): QuerySubject {
  const keyFile = `${folder}.key.json`;
  // What is left over after the last full flush must not wait for its age.
  const args = ['--raw-days', '60', '--flush-seconds', '20'];
  const ask: Record<Question, string> = {
    'one series, 6 h in 300 buckets': 'agg=avg&where=host:web-7',
    '30 days by region, 1 h buckets': 'agg=avg&group_by=region',
    'top 10 by sum over 24 h': 'agg=sum&group_by=host&limit=10',
    'p99 of all series a minute, 1 h': 'agg=p99',
  };
  return {
    name: 'nowcast',
    folder,
    async start() {
      const server = existsSync(folder)
        ? await reopenNowcast(folder, args)
        : await startNowcast(args, folder);
      // Its key is shown once; the load of a later start needs it too.
      if ('headers' in server) writeFileSync(keyFile, JSON.stringify(server.headers));
      return {
        ...server,
        question: (of) => {
          const { from, to, step } = times[of];
          const query = `metric_type=cpu_usage&${ask[of]}&from=${from}&to=${to}&step=${step}ms`;
          return { path: `/data?${query}`, headers: { authorization: `Bearer ${server.token}` } };
        },
        loadPath: '/write?precision=ms',
        loadHeaders: JSON.parse(readFileSync(keyFile, 'utf8')) as string[],
      };
    },
    async settled(server) {
      const until = performance.now() + 300_000;
      for (let rows = -1; ; await delay(2000)) {
        if (performance.now() > until) throw new Error('points are not flushed after five minutes');
        const metrics = (await get(server.port, '/metrics')).body;
        const now = Number(/^nowcast_warehouse_rows (\S+)/m.exec(metrics)?.[1]);
        const unflushed = Number(/^nowcast_unflushed_points (\S+)/m.exec(metrics)?.[1]);
        if (unflushed === 0 && now === rows) return;
        rows = now;
      }
    },
    disk() {
      const tables = join(folder, 'warehouse/chdb/data/default');
      // Tables are links by name to where ClickHouse keeps them.
      const bytesOf = (name: string) => bytesOfTable(`${tables}/${name}/`);
      const states = readdirSync(tables).filter((name) => /^(states|sketches)/.test(name));
      return {
        points_bytes: bytesOf('chunks'),
        states_bytes: states.reduce((sum, name) => sum + bytesOf(name), 0),
        all_bytes: bytesOnDisk(folder),
      };
    },
  };
}

function victoriaMetrics(folder: string, times: Times): QuerySubject {
  const ask: Record<Question, string> = {
    'one series, 6 h in 300 buckets': 'avg_over_time(cpu_usage{host="web-7"}[72s])',
    '30 days by region, 1 h buckets': 'avg(avg_over_time(cpu_usage[1h])) by (region)',
    'top 10 by sum over 24 h': 'topk(10, sum_over_time(cpu_usage[24h]))',
    'p99 of all series a minute, 1 h': 'quantile(0.99, last_over_time(cpu_usage[1m]))',
  };
  return {
    name: 'victoria-metrics',
    folder,
    async start() {
      return {
        ...(await startVictoriaMetrics(folder)),
        question: (of) => {
          const { from, to, step } = times[of];
          // Its cache of results would answer all but the first; ours has none either.
          const query = new URLSearchParams({ query: ask[of], nocache: '1' }).toString();
          if (step === day) return { path: `/api/v1/query?${query}&time=${to / 1000}` };
          // A step ends a bucket there and begins one here.
          const range = `start=${(from + step) / 1000}&end=${to / 1000}&step=${step / 1000}`;
          return { path: `/api/v1/query_range?${query}&${range}` };
        },
        loadPath: '/write?precision=ms',
        loadHeaders: [],
      };
    },
    async settled({ port }) {
      await get(port, '/internal/force_flush');
      await get(port, '/internal/force_merge');
      const merging = /^vm_active_merges\{.*\} ([1-9])/m;
      do await delay(2000);
      while (merging.test((await get(port, '/metrics')).body));
    },
    disk: () => ({ points_bytes: bytesOnDisk(join(folder, 'data')), all_bytes: bytesOnDisk(folder) }),
  };
}

function influxDb(folder: string, times: Times): QuerySubject {
  const ask: Record<Question, (range: string) => string> = {
    'one series, 6 h in 300 buckets': (range) =>
      `SELECT mean(usage) FROM cpu WHERE host='web-7' AND ${range} GROUP BY time(72s)`,
    '30 days by region, 1 h buckets': (range) =>
      `SELECT mean(usage) FROM cpu WHERE ${range} GROUP BY time(1h), region`,
    'top 10 by sum over 24 h': (range) =>
      `SELECT top(total, 10) FROM (SELECT sum(usage) AS total FROM cpu WHERE ${range} GROUP BY host)`,
    'p99 of all series a minute, 1 h': (range) =>
      `SELECT percentile(usage, 99) FROM cpu WHERE ${range} GROUP BY time(1m)`,
  };
  return {
    name: 'influxdb',
    folder,
    async start() {
      return {
        ...(await startInfluxDb(folder)),
        question: (of) => {
          const { from, to } = times[of];
          const q = ask[of](`time >= ${from}ms AND time < ${to}ms`);
          return { path: `/query?${new URLSearchParams({ db: 'bench', epoch: 'ms', q }).toString()}` };
        },
        loadPath: '/write?db=bench&precision=ms',
        loadHeaders: [],
      };
    },
    settled: () => delay(10_000),
    disk: () => ({
      points_bytes: bytesOnDisk(join(folder, 'data')) + bytesOnDisk(join(folder, 'wal')),
      all_bytes: bytesOnDisk(folder),
    }),
  };
}
