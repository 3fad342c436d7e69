import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realInterfaces } from './host-sample.ts';

test('traffic is that of the interfaces with hardware, where there are any', async () => {
  const devices = await mkdtemp(join(tmpdir(), 'nowcast-net-'));
  const interfaces = ['eth0', 'eth1', 'bond0', 'tun0'].map((name) => ({
    interface: name,
    inBytes: 1,
    outBytes: 2,
  }));
  const names = async () => (await realInterfaces(interfaces, devices)).map((io) => io.interface);
  expect(await names(), 'in a container').toEqual(['eth0', 'eth1', 'bond0', 'tun0']);
  for (const name of ['eth0/device', 'eth1/device', 'bond0'])
    await mkdir(join(devices, name), { recursive: true });
  expect(await names()).toEqual(['eth0', 'eth1']);
  await rm(devices, { recursive: true });
});
