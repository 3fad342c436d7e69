import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EventLog } from '@nowcast/ports';
import { LocalEventLog, type LocalEventLogOptions } from '../local-event-log.ts';

/** A directory of its own for the running test, removed when it ends. */
export async function temporaryDirectory(): Promise<{ path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'nowcast-log-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return { path };
}

export async function openLog(
  directory: string,
  options: Partial<LocalEventLogOptions> = {},
): Promise<LocalEventLog> {
  const log = new LocalEventLog({ directory, partitions: 3, ...options });
  await log.run();
  return log;
}

export async function copyDirectory(from: string, to: string): Promise<string> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true });
  return to;
}

export async function segmentPaths(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.log')).sort();
  return names.map((name) => join(directory, name));
}

/** The texts of a partition; throws when the offsets leave a gap. */
export async function storedTexts(log: EventLog, partition: number): Promise<string[]> {
  const texts: string[] = [];
  const first = log.tail()[partition]!;
  await log.read(partition, first, (offset, payload) => {
    if (offset !== first + texts.length) throw new Error(`offset ${offset} after ${texts.length} entries`);
    texts.push(Buffer.from(payload).toString());
  });
  return texts;
}
