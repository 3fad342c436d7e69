import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '@nowcast/ports';
import { eventLogConformance } from '@nowcast/ports/testing';
import { LocalEventLog } from './local-event-log.ts';

const directories = new WeakMap<object, { current: string }>();

async function open(directory: string, partitions: number): Promise<EventLog> {
  const log = new LocalEventLog({ directory, partitions, segmentBytes: 64 * 1024 });
  await log.run();
  return log;
}

eventLogConformance({
  name: 'LocalEventLog',
  atomicCalls: true,
  exclusive: true,
  async create(partitions) {
    const root = await mkdtemp(join(tmpdir(), 'nowcast-log-'));
    const place = { current: join(root, 'log-0') };
    let copies = 0;
    const fixture = {
      open: () => open(place.current, partitions),
      close: (log: EventLog) => log.stop(),
      // The files as they are at this moment are what SIGKILL leaves behind.
      async crash(log: EventLog) {
        const copy = join(root, `log-${++copies}`);
        await cp(place.current, copy, { recursive: true });
        await log.stop();
        place.current = copy;
      },
      dispose: () => rm(root, { recursive: true }),
    };
    directories.set(fixture, place);
    return fixture;
  },
  openWithPartitions: (fixture, partitions) => open(directories.get(fixture)!.current, partitions),
});
