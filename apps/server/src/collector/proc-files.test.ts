import { describe, expect, test } from 'vitest';
import {
  parseCpuTimes,
  parseDisks,
  parseMemory,
  parseMounts,
  parseNetwork,
  parseProcessState,
} from './proc-files.ts';

describe('/proc', () => {
  test('stat: the total and each core; what an old kernel does not count is 0', () => {
    expect(parseCpuTimes('cpu  10 1 5 80 3 0 1 0 0 0\ncpu0 5 0 2 40\nintr 1 2\nctxt 99\n')).toEqual([
      {
        cpu: 'total',
        modes: { user: 10, nice: 1, system: 5, idle: 80, iowait: 3, irq: 0, softirq: 1, steal: 0 },
      },
      { cpu: '0', modes: { user: 5, nice: 0, system: 2, idle: 40, iowait: 0, irq: 0, softirq: 0, steal: 0 } },
    ]);
  });

  test('meminfo in bytes', () => {
    expect(parseMemory('MemTotal:       16000 kB\nHugePages_Total:       0\nMemFree: 1 kB\n')).toEqual({
      MemTotal: 16_384_000,
      MemFree: 1024,
    });
  });

  test('diskstats: whole disks that were used, not partitions, loops or idle ones', () => {
    const line = (name: string, read: number, written: number) =>
      `   8 0 ${name} 1 0 ${read} 0 1 0 ${written} 0 0 0 0`;
    const text = [line('sda', 2, 4), line('sda1', 2, 4), line('loop0', 9, 0), line('nvme0n1', 1, 0)].join(
      '\n',
    );
    expect(parseDisks(`${text}\n${line('nvme0n1p2', 1, 0)}\n${line('sdb', 0, 0)}\n`)).toEqual([
      { device: 'sda', readBytes: 1024, writtenBytes: 2048 },
      { device: 'nvme0n1', readBytes: 512, writtenBytes: 0 },
    ]);
  });

  test('net/dev: no loopback, and names that stick to their first number', () => {
    const text =
      'Inter-| Receive\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0\n  eth0:100 1 0 0 0 0 0 0 200 2\n';
    expect(parseNetwork(text)).toEqual([{ interface: 'eth0', inBytes: 100, outBytes: 200 }]);
  });

  test('net/dev: what passes bridges and containers is counted where it leaves the machine', () => {
    const names = ['docker0', 'br-1f2e', 'veth9a', 'virbr0', 'cni0', 'flannel.1', 'cali12', 'ifb0', 'lo'];
    const text = [...names, 'eth0', 'brain', 'local']
      .map((name) => `  ${name}: 1 0 0 0 0 0 0 0 2 0`)
      .join('\n');
    expect(parseNetwork(text).map((io) => io.interface)).toEqual(['eth0', 'brain', 'local']);
  });

  test('a process whose name looks like the end of a name', () => {
    expect(parseProcessState('42 (evil) R) S 1 42')).toBe('S');
  });

  test('mounts: devices once, the root whatever it is on, escaped blanks', () => {
    const text = [
      'proc /proc proc rw 0 0',
      '/dev/sda1 / ext4 rw 0 0',
      '/dev/sda1 /var/bind ext4 rw 0 0',
      '/dev/sdb1 /mnt/my\\040disk ext4 rw 0 0',
      '/dev/loop3 /snap/x squashfs ro 0 0',
    ].join('\n');
    expect(parseMounts(text)).toEqual([
      { device: '/dev/sda1', path: '/' },
      { device: '/dev/sdb1', path: '/mnt/my disk' },
    ]);
    expect(parseMounts('overlay / overlay rw 0 0')).toEqual([{ device: 'overlay', path: '/' }]);
  });
});
