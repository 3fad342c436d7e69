import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** The machine a figure was measured on; every result carries it. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  node: string;
  kernel: string;
  /** One-minute load average when the measure began. */
  load: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kernel: readText('/proc/sys/kernel/osrelease').trim(),
    load: Number(readText('/proc/loadavg').split(' ')[0] ?? Number.NaN),
  };
}

const ticksPerSecond = 100;

/** CPU seconds (user and system) a process and its children of today have used, from /proc. */
export function cpuSeconds(pid: number): number {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return own + childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), 0);
}

/** Resident memory of a process and its children, bytes. */
export function residentBytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readText(`/proc/${pid}/status`));
  const own = match === null ? 0 : Number(match[1]) * 1024;
  return own + childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), 0);
}

function childrenOf(pid: number): number[] {
  const tasks = readText(`/proc/${pid}/task/${pid}/children`);
  return tasks.trim() === '' ? [] : tasks.trim().split(' ').map(Number);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Nearest-rank quantile; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
