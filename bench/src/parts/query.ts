import { type RunningServer, startServer } from '@nowcast/e2e/server';
import { signIn } from './fanout.ts';
import { machine, median, residentBytes } from '../harness/machine.ts';

const seriesCount = 1000;
const pointsPerSeries = 2000;
const stepMs = 60_000;
const repeats = 15;

/** History of 2 M points (1,000 series, a point a minute): the questions of a board, warm. */
export async function benchQuery(): Promise<unknown> {
  const server = await startServer(['--no-collector', '--hot-points', '0', '--hot-seconds', '0']);
  try {
    const end = Math.floor(Date.now() / stepMs) * stepMs;
    const start = end - pointsPerSeries * stepMs;
    await fill(server, start);
    await flushed(server);
    const headers = { authorization: `Bearer ${await signIn(server)}` };
    const day = 86_400_000;
    const questions: Record<string, string> = {
      'one series, 6 h in 300 buckets': `agg=avg&where=host:web-7&from=${end - day / 4}&to=${end}&step=72s`,
      'all by region, whole range in 1 h buckets': `agg=avg&group_by=region&from=${start}&to=${end}&step=1h`,
      'top 10 hosts by sum over 24 h': `agg=sum&group_by=host&limit=10&from=${end - day}&to=${end}&step=1d`,
      'p99 over all series a minute, 1 h': `agg=p99&from=${end - 3_600_000}&to=${end}&step=1m`,
      // Older than a day: memory cannot answer it.
      'page of 50 records of all series': `agg=none&limit=50&from=${start}&to=${end - day}`,
    };
    const results: Record<string, number> = {};
    for (const [name, query] of Object.entries(questions)) {
      const times: number[] = [];
      for (let i = 0; i < repeats; i++) {
        const began = performance.now();
        const answer = await fetch(`${server.url}/data?metric_type=cpu_usage&${query}`, { headers });
        await answer.arrayBuffer();
        if (answer.status !== 200) throw new Error(`${name}: ${answer.status}`);
        times.push(performance.now() - began);
      }
      results[name] = Number(median(times.slice(1)).toFixed(2));
    }
    const figures = await metrics(server);
    return {
      measure: 'query',
      machine: machine(),
      points: seriesCount * pointsPerSeries,
      warmMedianMs: results,
      warehouseBytesPerPoint: Number(
        ((figures.get('nowcast_warehouse_bytes') ?? 0) / (seriesCount * pointsPerSeries)).toFixed(2),
      ),
      residentMiB: Math.round(residentBytes(server.pid) / 2 ** 20),
    };
  } finally {
    await server.destroy();
  }
}

/** A walk of two decimals for each series, sent as ten-minute batches. */
async function fill(server: RunningServer, start: number): Promise<void> {
  const values = new Float64Array(seriesCount).fill(50);
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let i = 0; i < pointsPerSeries; i += 10) {
    let body = '';
    for (let k = i; k < i + 10; k++) {
      for (let series = 0; series < seriesCount; series++) {
        values[series] = Math.round((values[series]! + random() - 0.5) * 100) / 100;
        body += `cpu,host=web-${series},region=r${series % 10} usage=${values[series]} ${start + k * stepMs}\n`;
      }
    }
    const answer = await fetch(`${server.url}/write?precision=ms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}` },
      body,
    });
    if (answer.status !== 204) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
  }
}

/** Everything but what is younger than a flush is in the warehouse. */
async function flushed(server: RunningServer): Promise<void> {
  for (;;) {
    const figures = await metrics(server);
    if (
      (figures.get('nowcast_flushes_total') ?? 0) >= Math.floor((seriesCount * pointsPerSeries) / 1_000_000)
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function metrics(server: RunningServer): Promise<Map<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return new Map([...text.matchAll(/^(\w+) (\S+)$/gm)].map((match) => [match[1]!, Number(match[2])]));
}
