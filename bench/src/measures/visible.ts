import { setTimeout as delay } from 'node:timers/promises';
import { get } from '../harness/http-client.ts';
import { median } from '../harness/machine.ts';
import {
  check,
  figure,
  type Measure,
  type Options,
  type Outcome,
  runsOf,
  wanted,
} from '../harness/measure.ts';
import { interleave, type Run } from '../harness/rounds.ts';
import type { BenchServer } from '../harness/server-process.ts';
import { type Netdata, startNetdata } from '../servers/netdata.ts';
import { startNowcast } from '../servers/nowcast.ts';
import { startInfluxDb, startVictoriaMetrics } from '../servers/peers.ts';

const pollMs = 5;
const patienceMs = 60_000;
const pointsPerRun = 5;

/** A server that is written to and asked, each in its own language. */
interface Asked {
  name: string;
  server: BenchServer;
  write(series: string, value: number): Promise<void>;
  /** Whether a query of the newest values of a series has this one. */
  has(series: string, value: number): Promise<boolean>;
}

const cases = ['series that are there', 'new series'] as const;

/**
 * From the acknowledgement of a point to the moment at which the first query is sent whose answer has it: 0.0 when the
 * very next query does. All are asked every 5 ms. Five points of five series at a time.
 */
export const visible: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  const all = await askedServers(options);
  try {
    for (const name of cases.filter((one) => wanted(options, one))) {
      const subjects = all.map((asked) => ({
        name: asked.name,
        run: () => once(asked, name === 'new series'),
      }));
      const rounds = { measure: 'visible', case: name, runs: runsOf(options), settleMs: 0 };
      outcome.rows.push(...(await interleave(subjects, rounds)));
    }
  } finally {
    for (const { server } of all) await server.destroy();
  }
  for (const name of cases) {
    const ms = figure(outcome.rows, { case: name, subject: 'nowcast', name: 'visible_after_ms' });
    outcome.checks.push(...check('visible', `${name}, ms`, ms, '≤', 1));
  }
  return outcome;
};

let serial = 0;

async function once(asked: Asked, fresh: boolean): Promise<Run> {
  const names = Array.from({ length: pointsPerRun }, (_, i) => (fresh ? `new-${++serial}` : `old-${i}`));
  const times = await Promise.all(names.map((series) => timeOf(asked, series, ++serial)));
  return {
    figures: {
      visible_after_ms: median(times.map(({ sent }) => sent)),
      answered_after_ms: median(times.map(({ answered }) => answered)),
    },
  };
}

async function timeOf(
  asked: Asked,
  series: string,
  value: number,
): Promise<{ sent: number; answered: number }> {
  await asked.write(series, value);
  const acknowledged = performance.now();
  for (let sent = acknowledged; sent - acknowledged < patienceMs; await delay(pollMs)) {
    sent = performance.now();
    if (await asked.has(series, value))
      return { sent: sent - acknowledged, answered: performance.now() - acknowledged };
  }
  throw new Error(`${asked.name} does not show what it acknowledged within a minute`);
}

async function askedServers(options: Options): Promise<Asked[]> {
  const nowcast = await startNowcast();
  const headers = { authorization: `Bearer ${nowcast.token}` };
  const all: Asked[] = [
    {
      name: 'nowcast',
      server: nowcast,
      write: (series, value) =>
        post(nowcast.port, '/write', `seen,host=${series} value=${value}`, nowcast.key),
      async has(series, value) {
        const path = `/data?metric_type=seen&agg=last&where=host:${series}&from=now-1m&step=1s`;
        return (await get(nowcast.port, path, headers)).body.includes(`${value}`);
      },
    },
  ];
  if (!options.peers) return all;
  const tuned = ['-search.latencyOffset=0s', '-inmemoryDataFlushInterval=1s'];
  all.push(
    victoriaMetrics('victoria-metrics, default', await startVictoriaMetrics()),
    victoriaMetrics('victoria-metrics, tuned', await startVictoriaMetrics(undefined, tuned)),
    influxDb(await startInfluxDb()),
    netdata(await startNetdata()),
  );
  return all;
}

function victoriaMetrics(name: string, server: BenchServer): Asked {
  return {
    name,
    server,
    write: (series, value) => post(server.port, '/write', `seen,host=${series} value=${value}`),
    async has(series, value) {
      const query = new URLSearchParams({
        query: `last_over_time(seen_value{host="${series}"}[5m])`,
        nocache: '1',
      });
      return (await get(server.port, `/api/v1/query?${query.toString()}`)).body.includes(`"${value}"`);
    },
  };
}

function influxDb(server: BenchServer): Asked {
  return {
    name: 'influxdb',
    server,
    write: (series, value) => post(server.port, '/write?db=bench', `seen,host=${series} value=${value}`),
    async has(series, value) {
      const q = `SELECT last(value) FROM seen WHERE host='${series}'`;
      return (
        await get(server.port, `/query?${new URLSearchParams({ db: 'bench', q }).toString()}`)
      ).body.includes(`,${value}]`);
    },
  };
}

/** Its StatsD port acknowledges nothing: the time counts from when the datagram was sent. */
function netdata(server: Netdata): Asked {
  return {
    name: 'netdata',
    server,
    write: (series, value) => server.send(series, value),
    async has(series, value) {
      const path = `/api/v1/data?chart=statsd_${series}.gauge&after=-10&format=json`;
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
      // There is no chart of a name that it has never heard.
      return (await answer.text()).includes(`,${value}]`);
    },
  };
}

async function post(port: number, path: string, body: string, key?: string): Promise<void> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
  if (answer.status !== 204)
    throw new Error(`${path} was answered by ${answer.status}: ${await answer.text()}`);
}
