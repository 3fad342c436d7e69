import { spawn } from 'node:child_process';
import { nativeProgram } from './cache.ts';

/** What bench/native/load.c is asked to send. */
export interface LoadOptions {
  port: number;
  path: string;
  headers?: readonly string[];
  format?: 'line' | 'json' | 'ndjson' | undefined;
  series: number;
  batch: number;
  connections: number;
  /** How long, or how much. */
  seconds?: number;
  points?: number;
  /** Points a second; without it, as fast as it is answered. */
  rate?: number;
  startMs: number;
  /** Between two points of a series. */
  stepMs: number;
  seed?: number;
  /** Points that are left out at the beginning: those of a load before, so that this one goes on with other series. */
  skip?: number;
}

/** What it reports. */
export interface LoadReport {
  points: number;
  requests: number;
  seconds: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
  /** Where the next load begins, so that no point is sent twice. */
  next_ms: number;
  client_cpu_seconds: number;
}

export function load(options: LoadOptions): Promise<LoadReport> {
  const { headers = [], ...rest } = options;
  const args = headers.flatMap((header) => ['--header', header]);
  for (const [name, value] of Object.entries(rest)) {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value !== undefined) args.push(`--${flag}`, String(value));
  }
  const child = spawn(nativeProgram('load'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(out) as LoadReport);
      else
        reject(new Error(`load on port ${options.port}${options.path}: ${errors || `ended with ${code}`}`));
    });
  });
}
