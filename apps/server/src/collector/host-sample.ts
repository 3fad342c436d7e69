import { access, readdir, readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import {
  type CpuMode,
  cpuModes,
  type CpuTimes,
  type NetworkIo,
  parseCpuTimes,
  parseDisks,
  parseMemory,
  parseMounts,
  parseNetwork,
  parseProcessState,
} from './proc-files.ts';

/** One measured value; becomes a point under the metric's name. */
export interface Sample {
  metric_type: string;
  value: number;
  labels: Record<string, string>;
}

/**
 * Measures this machine. Linux is read from /proc; elsewhere what Node's `os` module knows (processors, load,
 * memory) is measured and the rest is left out rather than guessed.
 */
export class HostSampler {
  readonly #host: string;
  #cpu = new Map<string, CpuTimes['modes']>();

  constructor(host: string) {
    this.#host = host;
  }

  async sample(): Promise<Sample[]> {
    const parts = await Promise.all([
      this.#cpuUsage(),
      this.#memory(),
      this.#diskIo(),
      this.#diskSpace(),
      this.#network(),
      this.#processes(),
    ]);
    return [...this.#load(), ...parts.flat()];
  }

  #point(metric_type: string, value: number, labels: Record<string, string>): Sample {
    return { metric_type, value, labels: { host: this.#host, ...labels } };
  }

  /** Percent of the time since the last sample; nothing the first time. */
  async #cpuUsage(): Promise<Sample[]> {
    const text = await readText('/proc/stat');
    const samples: Sample[] = [];
    const now = new Map<string, CpuTimes['modes']>();
    for (const { cpu, modes } of text === undefined ? osCpuTimes() : parseCpuTimes(text)) {
      now.set(cpu, modes);
      const before = this.#cpu.get(cpu);
      if (before === undefined) continue;
      const spent = cpuModes.map((mode) => Math.max(0, modes[mode] - before[mode]));
      const total = spent.reduce((sum, part) => sum + part, 0);
      if (total === 0) continue;
      const percent = (part: number): number => Math.round((part / total) * 10_000) / 100;
      for (const [i, mode] of cpuModes.entries()) {
        samples.push(this.#point('cpu_usage', percent(spent[i] ?? 0), { cpu, mode }));
      }
      const idle = (spent[cpuModes.indexOf('idle')] ?? 0) + (spent[cpuModes.indexOf('iowait')] ?? 0);
      samples.push(this.#point('cpu_usage', percent(total - idle), { cpu, mode: 'busy' }));
    }
    this.#cpu = now;
    return samples;
  }

  #load(): Sample[] {
    const periods = ['1m', '5m', '15m'];
    return os
      .loadavg()
      .map((load, i) => this.#point('load_average', round(load), { period: periods[i] ?? '' }));
  }

  async #memory(): Promise<Sample[]> {
    const text = await readText('/proc/meminfo');
    if (text === undefined) {
      const kinds = { total: os.totalmem(), free: os.freemem(), used: os.totalmem() - os.freemem() };
      return Object.entries(kinds).map(([kind, value]) => this.#point('memory_bytes', value, { kind }));
    }
    const memory = parseMemory(text);
    const total = memory['MemTotal'] ?? 0;
    const free = memory['MemFree'] ?? 0;
    const buffers = memory['Buffers'] ?? 0;
    const cached = (memory['Cached'] ?? 0) + (memory['SReclaimable'] ?? 0);
    const available = memory['MemAvailable'] ?? free;
    const used = Math.max(0, total - free - buffers - cached);
    const swapTotal = memory['SwapTotal'] ?? 0;
    const swap = { used: swapTotal - (memory['SwapFree'] ?? 0), total: swapTotal };
    return [
      ...Object.entries({ used, free, cached, buffers, available, total }).map(([kind, value]) =>
        this.#point('memory_bytes', value, { kind }),
      ),
      ...Object.entries(swap).map(([kind, value]) => this.#point('swap_bytes', value, { kind })),
    ];
  }

  async #diskIo(): Promise<Sample[]> {
    const text = await readText('/proc/diskstats');
    return parseDisks(text ?? '').flatMap(({ device, readBytes, writtenBytes }) => [
      this.#point('disk_io_bytes', readBytes, { device, direction: 'read' }),
      this.#point('disk_io_bytes', writtenBytes, { device, direction: 'write' }),
    ]);
  }

  async #diskSpace(): Promise<Sample[]> {
    const text = await readText('/proc/mounts');
    const mounts = text === undefined ? [{ device: '', path: '/' }] : parseMounts(text);
    const spaces = await Promise.all(
      mounts.map(async ({ path }) => {
        const space = await statfs(path).catch(() => undefined);
        if (space === undefined || space.blocks === 0) return [];
        const kinds = {
          total: space.blocks * space.bsize,
          free: space.bavail * space.bsize,
          used: (space.blocks - space.bfree) * space.bsize,
        };
        return Object.entries(kinds).map(([kind, value]) =>
          this.#point('disk_space_bytes', value, { mount: path, kind }),
        );
      }),
    );
    return spaces.flat();
  }

  async #network(): Promise<Sample[]> {
    const text = await readText('/proc/net/dev');
    const interfaces = await realInterfaces(parseNetwork(text ?? ''));
    return interfaces.flatMap(({ interface: name, inBytes, outBytes }) => [
      this.#point('network_bytes', inBytes, { interface: name, direction: 'in' }),
      this.#point('network_bytes', outBytes, { interface: name, direction: 'out' }),
    ]);
  }

  async #processes(): Promise<Sample[]> {
    const names = await readdir('/proc').catch(() => []);
    const ids = names.filter((name) => /^\d+$/.test(name));
    if (ids.length === 0) return [];
    const counts = { running: 0, sleeping: 0, blocked: 0, zombie: 0, total: 0 };
    for (const id of ids) {
      const text = await readText(`/proc/${id}/stat`);
      if (text === undefined) continue;
      counts.total++;
      const state = processStates[parseProcessState(text)];
      if (state !== undefined) counts[state]++;
    }
    return Object.entries(counts).map(([state, value]) => this.#point('process_count', value, { state }));
  }
}

const processStates: Readonly<Record<string, 'running' | 'sleeping' | 'blocked' | 'zombie'>> = {
  R: 'running',
  S: 'sleeping',
  I: 'sleeping',
  D: 'blocked',
  Z: 'zombie',
};

/**
 * Those with hardware behind them: bonds, VLANs and tunnels carry the same bytes again. A container sees none of these,
 * and gets all that there are. `devices` is where Linux describes them.
 */
export async function realInterfaces(
  interfaces: readonly NetworkIo[],
  devices = '/sys/class/net',
): Promise<readonly NetworkIo[]> {
  const found = await Promise.all(
    interfaces.map(({ interface: name }) =>
      access(join(devices, name, 'device')).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true) ? interfaces.filter((_, i) => found[i]) : interfaces;
}

/** Undefined where there is no such file: another operating system, or a process that has ended meanwhile. */
function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Node's processor times in the shape of /proc/stat; it knows fewer modes. */
function osCpuTimes(): CpuTimes[] {
  const none: Record<CpuMode, number> = {
    user: 0,
    nice: 0,
    system: 0,
    idle: 0,
    iowait: 0,
    irq: 0,
    softirq: 0,
    steal: 0,
  };
  const total = { ...none };
  const cores = os.cpus().map(({ times }, i) => {
    const modes = {
      ...none,
      user: times.user,
      nice: times.nice,
      system: times.sys,
      idle: times.idle,
      irq: times.irq,
    };
    for (const mode of cpuModes) total[mode] += modes[mode];
    return { cpu: String(i), modes };
  });
  return [{ cpu: 'total', modes: total }, ...cores];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
