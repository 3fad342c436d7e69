import { load, type LoadOptions } from '../harness/load.ts';
import {
  check,
  figure,
  type Measure,
  type Options,
  type Outcome,
  runsOf,
  wanted,
} from '../harness/measure.ts';
import { interleave, type Run, type Subject } from '../harness/rounds.ts';
import type { BenchServer } from '../harness/server-process.ts';
import { makeRules, type Nowcast, openViews, startNowcast } from '../servers/nowcast.ts';
import { startDropServer, startInfluxDb, startVictoriaMetrics } from '../servers/peers.ts';

type Shape = Pick<LoadOptions, 'series' | 'batch' | 'connections' | 'format'>;

interface Case {
  name: string;
  shape: Shape;
  peers: readonly ('victoria-metrics' | 'influxdb' | 'drop')[];
  /** Runs that do not count. */
  warmUps: number;
}

/** Our code is compiled while it runs, on threads that have much to do in the first seconds. */
const untilCompiled = 3;

const big = { series: 1000, batch: 5000, connections: 4 };
const cases: readonly Case[] = [
  {
    name: 'line protocol',
    shape: big,
    peers: ['victoria-metrics', 'influxdb', 'drop'],
    warmUps: untilCompiled,
  },
  { name: 'JSON', shape: { ...big, format: 'json' }, peers: ['drop'], warmUps: untilCompiled },
  { name: 'NDJSON', shape: { ...big, format: 'ndjson' }, peers: ['drop'], warmUps: untilCompiled },
  {
    name: '1 M series',
    shape: { ...big, series: 1_000_000 },
    peers: ['victoria-metrics', 'influxdb'],
    // Each run goes on where the one before it stopped, and by then most series would be known.
    warmUps: 1,
  },
  ...[100, 10, 1].map((batch) => ({
    name: `batches of ${batch}`,
    shape: { series: 1000, batch, connections: 64 },
    peers: ['victoria-metrics', 'influxdb', 'drop'] as const,
    warmUps: untilCompiled,
  })),
];

const views = 50;
const rules = 100;

/**
 * Durable points per CPU-second of the server, over keep-alive connections that each send their next request on the
 * answer. Ours is measured with everything on: fdatasync before the answer, chunks, states, flushes into the warehouse,
 * 50 live views being watched and 100 alert rules; and, to show what these cost, once more without views and rules.
 */
export const ingest: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [], notes: [] };
  for (const one of cases.filter(({ name }) => wanted(options, name))) {
    const servers: BenchServer[] = [];
    try {
      const subjects = await subjectsOf(one, options, servers);
      outcome.rows.push(
        ...(await interleave(subjects, {
          measure: 'ingest',
          case: one.name,
          runs: runsOf(options),
          warmUps: options.quick ? 1 : one.warmUps,
          settleMs: 2000,
        })),
      );
    } finally {
      for (const server of servers) await server.destroy();
    }
  }
  outcome.checks.push(...checksOf(outcome));
  return outcome;
};

async function subjectsOf(one: Case, options: Options, servers: BenchServer[]): Promise<Subject[]> {
  const seconds = options.quick ? 2 : 4;
  const started = async <S extends BenchServer>(server: Promise<S>): Promise<S> => {
    servers.push(await server);
    return server;
  };
  const nowcast = async (): Promise<Nowcast> => started(startNowcast());
  const full = await nowcast();
  await openViews(full, views);
  await makeRules(full, rules);
  const subjects = [sender('nowcast', full, ours(full, one.shape), seconds)];
  if (one.name === 'line protocol') {
    const plain = await nowcast();
    subjects.push(sender('nowcast, no views or rules', plain, ours(plain, one.shape), seconds));
  }
  for (const peer of options.peers ? one.peers : one.peers.filter((name) => name === 'drop')) {
    const server = await started(starts[peer]());
    const path = peer === 'influxdb' ? '/write?db=bench&precision=ms' : '/write?precision=ms';
    subjects.push(sender(peer, server, { ...one.shape, path }, seconds));
  }
  return subjects;
}

const starts = {
  'victoria-metrics': startVictoriaMetrics,
  influxdb: startInfluxDb,
  drop: startDropServer,
} as const;

function ours(server: Nowcast, shape: Shape): Shape & Pick<LoadOptions, 'path' | 'headers'> {
  const type = { line: 'text/plain', json: 'application/json', ndjson: 'application/x-ndjson' }[
    shape.format ?? 'line'
  ];
  const path = (shape.format ?? 'line') === 'line' ? '/write?precision=ms' : '/api/v1/ingest';
  return { ...shape, path, headers: [...server.headers, `Content-Type: ${type}`] };
}

/** Points a second at which event time keeps pace with the clock: as dense as real senders would be at this rate. */
const pacedRate = 1_000_000;

function sender(
  name: string,
  server: BenchServer,
  what: Omit<LoadOptions, 'port' | 'startMs' | 'stepMs' | 'seconds'>,
  seconds: number,
): Subject {
  const stepMs = Math.max(1, Math.round((what.series / pacedRate) * 1000));
  let nextMs = 0;
  let seed = 1;
  /** Points so far: the next run goes on with the series that come after them. */
  let sent = 0;
  return {
    name,
    pid: server.pid,
    async run(): Promise<Run> {
      // Event time may outrun the clock; it begins early enough to stay behind it, and never goes back.
      const startMs = Math.max(nextMs, Date.now() - 20_000);
      const skip = sent % what.series;
      const report = await load({ ...what, port: server.port, startMs, stepMs, seconds, seed: seed++, skip });
      nextMs = report.next_ms;
      sent += report.points;
      return {
        work: { name: 'points', amount: report.points },
        figures: {
          points_per_second: report.points / report.seconds,
          request_p50_ms: report.p50_ms,
          request_p99_ms: report.p99_ms,
        },
      };
    },
  };
}

function checksOf({ rows }: Outcome) {
  const of = (name: string, subject: string, what = 'points_per_cpu_second') =>
    figure(rows, { case: name, subject, name: what });
  const line = of('line protocol', 'nowcast');
  return [
    ...check('ingest', 'line protocol, points per CPU-second', line, '≥', 2_500_000),
    ...check(
      'ingest',
      'line protocol, times VictoriaMetrics',
      line / of('line protocol', 'victoria-metrics'),
      '≥',
      1.5,
    ),
    ...check(
      'ingest',
      'line protocol, request p99 ms',
      of('line protocol', 'nowcast', 'request_p99_ms'),
      '≤',
      25,
    ),
    ...check('ingest', 'JSON, points per CPU-second', of('JSON', 'nowcast'), '≥', 2_000_000),
    ...check('ingest', 'NDJSON, points per CPU-second', of('NDJSON', 'nowcast'), '≥', 2_000_000),
  ];
}
