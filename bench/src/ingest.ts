import { connect, type Socket } from 'node:net';
import { startServer } from '@nowcast/e2e/server';
import { cpuSeconds, machine, median, quantile } from './machine.ts';

const linesPerRequest = 5000;
const seriesCount = 1000;
const connections = 4;
const secondsPerRun = 5;

/** A request body whose timestamps can be rewritten in place: equal points would be retries and not be counted. */
interface Template {
  bytes: Buffer;
  /** Where each 13-digit timestamp stands, and which of the request's times it holds. */
  positions: Uint32Array;
}

const timesPerRequest = linesPerRequest / seriesCount;

/** About 73 B a line: 1,000 series of 3 tags, in the same order every time. */
function lineOf(i: number, time: string): string {
  const series = i % seriesCount;
  const value = (50 + 20 * Math.sin(i / 60)).toFixed(2);
  return `cpu,host=web-${series},region=r${series % 10},cluster=c${series % 50} usage=${value} ${time}\n`;
}

function jsonOf(i: number, time: string): string {
  const series = i % seriesCount;
  const value = (50 + 20 * Math.sin(i / 60)).toFixed(2);
  const labels = `{"host":"web-${series}","region":"r${series % 10}","cluster":"c${series % 50}"}`;
  return `{"metric_type":"cpu_usage","value":${value},"timestamp":${time},"labels":${labels}}\n`;
}

function template(text: (i: number, time: string) => string): Template {
  const placeholder = '0000000000000';
  const positions = new Uint32Array(linesPerRequest);
  let body = '';
  for (let i = 0; i < linesPerRequest; i++) {
    const line = text(i, placeholder);
    positions[i] = body.length + line.indexOf(placeholder);
    body += line;
  }
  return { bytes: Buffer.from(body), positions };
}

function retime({ bytes, positions }: Template, startMs: number): void {
  for (let t = 0; t < timesPerRequest; t++) {
    const digits = Buffer.from(String(startMs + t));
    for (let i = t * seriesCount; i < (t + 1) * seriesCount; i++) digits.copy(bytes, positions[i]);
  }
}

interface Load {
  path: string;
  type: string;
  text(i: number, time: string): string;
}

const loads: Record<'line-protocol' | 'ndjson', Load> = {
  'line-protocol': { path: '/write?precision=ms', type: 'text/plain', text: lineOf },
  ndjson: { path: '/api/v1/ingest', type: 'application/x-ndjson', text: jsonOf },
};

/** Durable points per server-CPU-second over keep-alive connections, each sending its next request on the answer. */
export async function benchIngest(): Promise<unknown> {
  const server = await startServer();
  try {
    const results: Record<string, unknown> = {};
    for (const [name, load] of Object.entries(loads)) {
      await run(server.port, server.key, load, 2);
      const runs = [];
      for (let i = 0; i < 5; i++) runs.push(await measure(server.pid, server.port, server.key, load));
      results[name] = {
        pointsPerSecond: Math.round(median(runs.map((r) => r.pointsPerSecond))),
        pointsPerCpuSecond: Math.round(median(runs.map((r) => r.pointsPerCpuSecond))),
        requestP50Ms: median(runs.map((r) => r.p50)),
        requestP99Ms: median(runs.map((r) => r.p99)),
      };
    }
    return { measure: 'ingest', machine: machine(), linesPerRequest, seriesCount, connections, results };
  } finally {
    await server.destroy();
  }
}

async function measure(pid: number, port: number, key: string, load: Load) {
  const cpu = cpuSeconds(pid);
  const started = performance.now();
  const latencies = await run(port, key, load, secondsPerRun);
  const points = latencies.length * linesPerRequest;
  return {
    pointsPerSecond: points / ((performance.now() - started) / 1000),
    pointsPerCpuSecond: points / (cpuSeconds(pid) - cpu),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

let clock = Date.now() - 3_600_000;

async function run(port: number, key: string, load: Load, seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000;
  const all = await Promise.all(Array.from({ length: connections }, () => send(port, key, load, until)));
  return all.flat();
}

function send(port: number, key: string, load: Load, until: number): Promise<number[]> {
  const latencies: number[] = [];
  const body = template((i, time) => load.text(i, time));
  const head = [
    `POST ${load.path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${key}`,
    `Content-Type: ${load.type}`,
    `Content-Length: ${body.bytes.length}`,
    '\r\n',
  ].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let at = 0;
    let text = '';
    const next = () => {
      retime(body, (clock += timesPerRequest));
      at = performance.now();
      socket.write(head);
      socket.write(body.bytes);
    };
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      if (!/^HTTP\/1\.1 20[04]/.test(text)) return reject(new Error(text.slice(0, 300)));
      text = text.slice(end + 4 + length);
      latencies.push(performance.now() - at);
      if (performance.now() < until) next();
      else socket.end(() => resolve(latencies));
    });
  });
}
