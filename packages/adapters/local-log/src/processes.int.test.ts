import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdir, readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { LocalEventLog } from './local-event-log.ts';
import type { LogAlarm } from './log-stats.ts';
import { openLog, storedTexts, temporaryDirectory } from './testing/log-directory.ts';

const program = fileURLToPath(new URL('./testing/writer-process.ts', import.meta.url));
/** What makes a group durable, where there is strace: a write that returns when its bytes are on the disk. */
const syncCall = 'pwritev';
const hasStrace = spawnSync('strace', ['-V']).status === 0;
const kills = process.env['NOWCAST_LONG'] === '1' ? 50 : 5;

interface Writer {
  child: ChildProcess;
  /** Ends the writer itself, also under strace, which would leave it running. */
  kill: () => void;
  acknowledged: number[];
  refused: string[];
  ended: Promise<void>;
}

/** Starts the writer, under strace when `inject` is given, and hands every line on. */
function startWriter(
  directory: string,
  options: { first?: number; inject?: string; onLine?: (line: string, writer: Writer) => void },
): Writer {
  const node = [program, directory, String(options.first ?? 0)];
  const trace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${syncCall}`, '-e', `inject=${options.inject}`];
  const child =
    options.inject === undefined
      ? spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('strace', [...trace, process.execPath, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const ended = Promise.all([once(lines, 'close'), once(child, 'exit')]).then(() => undefined);
  let pid = 0;
  const kill = () => void process.kill(pid, 'SIGKILL');
  const writer: Writer = { child, kill, acknowledged: [], refused: [], ended };
  lines.on('line', (line) => {
    const [what, n, detail] = line.split(' ');
    if (what === 'ready') pid = Number(n);
    if (what === 'ack') writer.acknowledged.push(Number(n));
    if (what === 'refused') writer.refused.push(detail!);
    options.onLine?.(line, writer);
  });
  return writer;
}

/** Opens what the writers left: stored numbers in order, none twice, all acknowledged ones among them. */
async function checkStored(directory: string, acknowledged: ReadonlySet<number>, sentBelow: number) {
  const log = await openLog(directory);
  const stored = new Set<number>();
  for (const partition of [0, 1, 2]) {
    const numbers = (await storedTexts(log, partition)).map((text) => Number.parseInt(text, 10));
    for (const n of numbers) {
      expect(n % 3).toBe(partition);
      expect(n).toBeLessThan(sentBelow);
      expect(stored.has(n), `${n} is stored twice`).toBe(false);
      stored.add(n);
    }
  }
  const lost = [...acknowledged].filter((n) => !stored.has(n));
  expect(lost, 'acknowledged and lost').toEqual([]);
  await log.stop();
  return stored.size;
}

test(`F1: SIGKILL ${kills} times in the middle of writing: acknowledged ⊆ stored ⊆ sent, none twice`, async () => {
  const root = await temporaryDirectory();
  const acknowledged = new Set<number>();
  let first = 0;
  for (let round = 0; round < kills; round++) {
    const target = 40 + ((round * 397) % 800);
    const writer = startWriter(root.path, {
      first,
      onLine: (_line, { kill, acknowledged: own }) => {
        if (own.length === target) kill();
      },
    });
    await writer.ended;
    expect(writer.acknowledged.length, `round ${round}`).toBeGreaterThanOrEqual(target);
    for (const n of writer.acknowledged) acknowledged.add(n);
    first += 10 ** 6;
    await checkStored(root.path, acknowledged, first);
  }
}, 300_000);

test('a second process is refused while the first lives, and may open once it was killed', async () => {
  const root = await temporaryDirectory();
  const ready = Promise.withResolvers<void>();
  const writer = startWriter(root.path, {
    onLine: (line) => {
      if (line.startsWith('ack 0 ')) ready.resolve();
    },
  });
  await ready.promise;
  await expect(openLog(root.path)).rejects.toMatchObject({ code: 'log.failed' });
  writer.kill();
  await writer.ended;
  const log = await openLog(root.path);
  expect(log.head()[0]).toBeGreaterThan(0);
  await log.stop();
});

/** Flags with which this process has the file open, of each descriptor of it. */
async function openFlagsOf(path: string): Promise<number[]> {
  const flags: number[] = [];
  for (const fd of await readdir('/proc/self/fd')) {
    if ((await readlink(`/proc/self/fd/${fd}`).catch(() => '')) !== path) continue;
    const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8');
    flags.push(Number.parseInt(/flags:\s*(\d+)/.exec(info)![1]!, 8));
  }
  return flags;
}

test.runIf(process.platform === 'linux')('segments are written so that a write is on the disk', async () => {
  const root = await temporaryDirectory();
  const segmentBytes = 1000;
  const payload = Buffer.alloc(400, 1);
  const assertSynced = async (log: LocalEventLog): Promise<void> => {
    const newest = (await readdir(root.path))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1)!;
    const flags = await openFlagsOf(join(await realpath(root.path), newest));
    expect(flags.filter((bits) => (bits & constants.O_DSYNC) === 0)).toEqual([]);
    expect(flags.length).toBeGreaterThan(0);
    await log.append([{ partition: 0, payload }]);
  };
  for (let start = 0; start < 3; start++) {
    const log = await openLog(root.path, { segmentBytes });
    for (let i = 0; i < 7; i++) await assertSynced(log);
    await log.truncate([...log.head()]);
    await log.stop();
  }
});

describe.runIf(hasStrace)('with faults injected into system calls (skipped where strace is missing)', () => {
  test('F1: SIGKILL at the Nth write', async () => {
    const root = await temporaryDirectory();
    for (const nth of [1, 2, 7]) {
      const directory = join(root.path, `${nth}`);
      const writer = startWriter(directory, { inject: `${syncCall}:signal=SIGKILL:when=${nth}` });
      await writer.ended;
      expect(writer.refused).toEqual([]);
      await checkStored(directory, new Set(writer.acknowledged), 10 ** 6);
    }
  });

  test('a group of more buffers than one system call takes is one write: a second one could hide that it failed', async () => {
    const root = await temporaryDirectory();
    const trace = join(root.path, 'trace');
    const log = join(import.meta.dirname, 'testing/log-directory.ts');
    const script = `
      import { openLog } from ${JSON.stringify(log)};
      const log = await openLog(${JSON.stringify(join(root.path, 'log'))});
      const payload = Buffer.alloc(3000, 1);
      await log.append([{ partition: 0, payload }]);
      await Promise.all(Array.from({ length: 600 }, () => log.append([{ partition: 0, payload }])));
      await log.stop();`;
    const writes = ['-f', '-qq', '-o', trace, '-e', 'trace=pwritev,pwrite64'];
    const node = [process.execPath, '--input-type=module', '-e', script];
    const ended = spawnSync('strace', [...writes, ...node], { encoding: 'utf8' });
    expect(ended.stderr).toBe('');
    const written = [...(await readFile(trace, 'utf8')).matchAll(/ = (\d+)$/gm)].map(([, bytes]) =>
      Number(bytes),
    );
    expect(Math.max(...written)).toBeGreaterThan(600 * 3000);
  });

  test('F3: a write failing with EIO ends all acknowledgements until a restart', async () => {
    const root = await temporaryDirectory();
    for (const nth of [1, 6]) {
      const directory = join(root.path, `${nth}`);
      const writer = startWriter(directory, { inject: `${syncCall}:error=EIO:when=${nth}` });
      await writer.ended;
      expect(new Set(writer.refused)).toEqual(new Set(['log.failed']));
      expect(writer.child.exitCode).toBe(3);
      const stored = await checkStored(directory, new Set(writer.acknowledged), 10 ** 6);
      expect(stored).toBe(writer.acknowledged.length);
    }
  });

  test('F2: a write failing with ENOSPC refuses those calls, keeps nothing of them, and goes on', async () => {
    const root = await temporaryDirectory();
    let isKilled = false;
    const enough = (_line: string, { kill, acknowledged, refused }: Writer): void => {
      if (refused.length > 0 && !isKilled && acknowledged.length > 100) {
        isKilled = true;
        kill();
      }
    };
    const directory = join(root.path, 'log');
    const inject = `${syncCall}:error=ENOSPC:when=5..6`;
    const writer = startWriter(directory, { inject, onLine: enough });
    await writer.ended;
    expect(new Set(writer.refused)).toEqual(new Set(['log.full']));
    await checkStored(directory, new Set(writer.acknowledged), 10 ** 6);
  });
});

/** A file system of 2 MiB, where the machine lets us mount one. */
function mountSmallDisk(path: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path]).status === 0;
}

test('F2: a full disk refuses with log.full, keeps what was acknowledged, and goes on once there is room', async ({
  skip,
}) => {
  const root = await temporaryDirectory();
  const disk = join(root.path, 'disk');
  await mkdir(disk);
  if (!mountSmallDisk(disk))
    skip('mounting a tmpfs takes root: the ENOSPC runs of faults.int.test.ts stand in');
  try {
    await writeFile(join(disk, 'ballast'), Buffer.alloc(1.5 * 2 ** 20));
    const alarms: LogAlarm[] = [];
    const directory = join(disk, 'log');
    const log = await openLog(directory, { onAlarm: (alarm) => void alarms.push(alarm) });
    const texts = Array.from({ length: 60 }, (_, i) => `${i}`.padEnd(20_000, '.'));
    const results = await Promise.allSettled(
      texts.map((text) => log.append([{ partition: 0, payload: Buffer.from(text) }])),
    );
    const more: string[] = [];
    for (const text of texts.slice(0, 40)) {
      await log.append([{ partition: 0, payload: Buffer.from(text) }]).then(
        () => more.push(text),
        (error: unknown) => expect(error).toMatchObject({ code: 'log.full', retryable: true }),
      );
    }
    const accepted = [...texts.filter((_, i) => results[i]!.status === 'fulfilled'), ...more];
    expect(accepted.length).toBeLessThan(100);
    expect(new Set(alarms.map(({ kind }) => kind))).toEqual(new Set(['full']));
    expect(await storedTexts(log, 0)).toEqual(accepted);
    await rm(join(disk, 'ballast'));
    expect(await log.append([{ partition: 0, payload: Buffer.from('room') }])).toEqual([accepted.length]);
    await log.stop();
    const again = await openLog(directory);
    expect(await storedTexts(again, 0)).toEqual([...accepted, 'room']);
    await again.stop();
  } finally {
    execFileSync('umount', ['--lazy', disk]);
  }
});
