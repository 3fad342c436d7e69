/** Reading Linux's /proc: text in, numbers out. Formats: proc(5). */
export interface CpuTimes {
  /** `total`, or the number of the core. */
  cpu: string;
  /** Jiffies since boot, by mode. */
  modes: Readonly<Record<CpuMode, number>>;
}

export const cpuModes = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
export type CpuMode = (typeof cpuModes)[number];

/** `/proc/stat`. */
export function parseCpuTimes(text: string): CpuTimes[] {
  const times: CpuTimes[] = [];
  for (const line of text.split('\n')) {
    const match = /^cpu(\d*)\s+(.*)$/.exec(line);
    if (match === null) continue;
    const numbers = (match[2] ?? '').split(/\s+/).map(Number);
    const modes = Object.fromEntries(cpuModes.map((mode, i) => [mode, numbers[i] ?? 0])) as CpuTimes['modes'];
    times.push({ cpu: match[1] === '' ? 'total' : (match[1] ?? ''), modes });
  }
  return times;
}

/** `/proc/meminfo`, in bytes. */
export function parseMemory(text: string): Record<string, number> {
  const memory: Record<string, number> = {};
  for (const match of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) {
    memory[match[1] ?? ''] = Number(match[2]) * 1024;
  }
  return memory;
}

export interface DiskIo {
  device: string;
  readBytes: number;
  writtenBytes: number;
}

/** `/proc/diskstats`: whole devices that were ever used; partitions and loop devices repeat what their disk says. */
export function parseDisks(text: string): DiskIo[] {
  const disks: DiskIo[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const device = fields[2] ?? '';
    const sectors = { read: Number(fields[5]), written: Number(fields[9]) };
    if (!isWholeDisk(device) || sectors.read + sectors.written === 0) continue;
    // The kernel counts sectors of 512 bytes whatever the device's own.
    disks.push({ device, readBytes: sectors.read * 512, writtenBytes: sectors.written * 512 });
  }
  return disks;
}

function isWholeDisk(device: string): boolean {
  return /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/.test(device);
}

export interface NetworkIo {
  interface: string;
  inBytes: number;
  outBytes: number;
}

/** The loopback, bridges and their ends: what passes them is no traffic of the machine, or is counted a second time. */
const inner = /^(?:lo$|veth|docker|br-|virbr|cni|flannel|cali|ifb)/;

/** `/proc/net/dev`, without interfaces that lead nowhere but into this machine. */
export function parseNetwork(text: string): NetworkIo[] {
  const interfaces: NetworkIo[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*([^\s:]+):\s*(.*)$/.exec(line);
    const name = match?.[1];
    if (name === undefined || inner.test(name)) continue;
    const fields = (match?.[2] ?? '').trim().split(/\s+/).map(Number);
    interfaces.push({ interface: name, inBytes: fields[0] ?? 0, outBytes: fields[8] ?? 0 });
  }
  return interfaces;
}

/** State letter of `/proc/<pid>/stat`; the command before it may hold anything, brackets included. */
export function parseProcessState(text: string): string {
  return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
}

export interface Mount {
  device: string;
  path: string;
}

/** `/proc/mounts`: file systems on devices, each device once (bind mounts show the same space again). */
export function parseMounts(text: string): Mount[] {
  const seen = new Set<string>();
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [device = '', path = '', type = ''] = line.split(' ');
    const real = device.startsWith('/dev/') || (path === '/' && type !== 'rootfs');
    if (!real || device.startsWith('/dev/loop') || seen.has(device)) continue;
    seen.add(device);
    mounts.push({
      device,
      path: path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    });
  }
  return mounts;
}
