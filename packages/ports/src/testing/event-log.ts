import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventLog, LogEntry } from '../event-log.ts';

/**
 * Conformance suite of the `EventLog` port. Every adapter runs it unchanged, whatever stands behind it: files, memory,
 * brokers. It speaks through the port and four hooks and assumes nothing about where the records are.
 */
export interface EventLogFixture {
  /** A running log over this fixture's storage: the first call creates it, later ones find what is there. */
  open(): Promise<EventLog>;
  close(log: EventLog): Promise<void>;
  /** Ends the log without any of its goodbyes, as SIGKILL would. `open` then finds what survives that. */
  crash(log: EventLog): Promise<void>;
  /** Removes the storage. Logs are closed or crashed by then. */
  dispose(): Promise<void>;
}

export interface EventLogHarness {
  name: string;
  /** Fresh storage for a log of that many partitions. */
  create(partitions: number): Promise<EventLogFixture>;
  /** The same storage, asked for with another number of partitions; for the refusal. */
  openWithPartitions(fixture: EventLogFixture, partitions: number): Promise<EventLog>;
  /** The entries of one call become durable together or not at all. */
  atomicCalls: boolean;
  /** Two logs over one storage are refused, rather than arbitrated by the other side. */
  exclusive: boolean;
}

const partitions = 3;

export function eventLogConformance(harness: EventLogHarness): void {
  describe(`${harness.name} as an event log`, () => {
    let fixture: EventLogFixture;
    let log: EventLog;
    beforeEach(async () => {
      fixture = await harness.create(partitions);
      log = await fixture.open();
    });
    afterEach(async () => {
      await fixture.close(log);
      await fixture.dispose();
    });
    const reopen = async (how: 'close' | 'crash'): Promise<void> => {
      await fixture[how](log);
      log = await fixture.open();
    };

    appendTests(() => log);
    readTests(() => log);
    restartTests(() => log, reopen);
    truncateTests(() => log, reopen);

    test('another number of partitions is refused and the log stays usable', async () => {
      await log.append([entry(0, 'kept')]);
      await fixture.close(log);
      await expect(harness.openWithPartitions(fixture, partitions + 1)).rejects.toMatchObject({
        code: 'request.invalid',
      });
      log = await fixture.open();
      expect(await readAll(log, 0)).toEqual([[0, 'kept']]);
    });

    test.runIf(harness.exclusive)('a second opener is refused and the first goes on', async () => {
      await log.append([entry(0, 'a')]);
      await expect(fixture.open()).rejects.toMatchObject({ code: 'log.failed' });
      expect(await log.append([entry(0, 'b')])).toEqual([1]);
    });

    test.runIf(harness.atomicCalls)('a crash keeps all entries of a call or none', async () => {
      const calls = Array.from({ length: 40 }, (_, i) =>
        log.append([entry(0, `${i}`), entry(1, `${i}`), entry(2, `${i}`)]).catch(() => undefined),
      );
      await calls[0];
      await reopen('crash');
      await Promise.all(calls);
      const stored = await Promise.all([0, 1, 2].map((partition) => readAll(log, partition)));
      expect(stored[0]!.length).toBeGreaterThan(0);
      expect(stored[1]).toEqual(stored[0]);
      expect(stored[2]).toEqual(stored[0]);
    });
  });
}

function appendTests(current: () => EventLog): void {
  test('a new log is empty and counts from zero', async () => {
    const log = current();
    expect(log.partitions).toBe(partitions);
    expect(log.epoch).not.toBe('');
    expect(log.head()).toEqual([0, 0, 0]);
    expect(log.tail()).toEqual([0, 0, 0]);
    expect(log.queuedBytes).toBe(0);
    expect(await readAll(log, 1)).toEqual([]);
  });

  test('each partition numbers its own entries, also within one call', async () => {
    const log = current();
    expect(await log.append([entry(0, 'a'), entry(2, 'b'), entry(0, 'c')])).toEqual([0, 0, 1]);
    expect(await log.append([entry(2, 'd')])).toEqual([1]);
    expect(log.head()).toEqual([2, 0, 2]);
    expect(await readAll(log, 0)).toEqual([
      [0, 'a'],
      [1, 'c'],
    ]);
  });

  test('an empty call resolves at once with nothing', async () => {
    expect(await current().append([])).toEqual([]);
    expect(current().head()).toEqual([0, 0, 0]);
  });

  test('calls made at once keep their order and leave no gap', async () => {
    const log = current();
    const calls = Array.from({ length: 200 }, (_, i) => log.append([entry(i % partitions, `${i}`)]));
    expect(log.queuedBytes).toBeGreaterThan(0);
    const offsets = await Promise.all(calls);
    expect(offsets.map(([offset]) => offset)).toEqual(offsets.map((_, i) => Math.floor(i / partitions)));
    expect(log.queuedBytes).toBe(0);
    const stored = await readAll(log, 1);
    expect(stored).toEqual(stored.map((_, i) => [i, `${i * partitions + 1}`]));
  });

  test('an entry is readable, and counted by head, as soon as its append resolved', async () => {
    const log = current();
    for (let i = 0; i < 20; i++) {
      const [offset] = await log.append([entry(1, `${i}`)]);
      expect(log.head()[1]).toBe(offset! + 1);
      expect(await readAll(log, 1, offset)).toEqual([[offset, `${i}`]]);
    }
  });

  test('payloads come back byte for byte, empty ones and megabytes among them', async () => {
    const log = current();
    const lengths = [0, 1, 2047, 2048, 2049, 700_001, 3_000_000];
    const payloads = lengths.map((length, seed) => pseudoRandomBytes(length, seed + 1));
    await log.append(payloads.map((payload) => ({ partition: 0, payload })));
    const found: Uint8Array[] = [];
    await log.read(0, 0, (_offset, payload) => void found.push(payload.slice()));
    expect(found.map((bytes) => bytes.byteLength)).toEqual(lengths);
    expect(found.every((bytes, i) => Buffer.compare(bytes, payloads[i]!) === 0)).toBe(true);
  });
}

function readTests(current: () => EventLog): void {
  test('reading begins at any offset and ends at the head', async () => {
    const log = current();
    for (let i = 0; i < 10; i++) await log.append([entry(0, `${i}`), entry(1, 'other')]);
    for (let from = 0; from <= 10; from++) {
      const expected = Array.from({ length: 10 - from }, (_, i) => [from + i, `${from + i}`]);
      expect(await readAll(log, 0, from)).toEqual(expected);
    }
  });

  test('a visitor that returns a promise is waited for', async () => {
    const log = current();
    await log.append(Array.from({ length: 5 }, (_, i) => entry(0, `${i}`)));
    const steps: string[] = [];
    await log.read(0, 0, async (offset) => {
      steps.push(`begin ${offset}`);
      await Promise.resolve();
      steps.push(`end ${offset}`);
    });
    expect(steps).toEqual([0, 1, 2, 3, 4].flatMap((offset) => [`begin ${offset}`, `end ${offset}`]));
  });

  test("a visitor's error ends the reading and reaches the caller", async () => {
    const log = current();
    await log.append([entry(0, 'a'), entry(0, 'b')]);
    const visited: number[] = [];
    const reading = log.read(0, 0, (offset) => {
      visited.push(offset);
      throw new Error('enough');
    });
    await expect(reading).rejects.toThrow('enough');
    expect(visited).toEqual([0]);
  });

  test('reading goes on undisturbed while entries are appended', async () => {
    const log = current();
    for (let i = 0; i < 50; i++) await log.append([entry(0, `${i}`)]);
    const appends: Promise<number[]>[] = [];
    const seen: number[] = [];
    await log.read(0, 0, (offset) => {
      seen.push(offset);
      appends.push(log.append([entry(0, 'new')]));
      if (appends.length > 200) throw new Error('reading chases its own appends');
    });
    await Promise.all(appends);
    expect(seen.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
}

function restartTests(current: () => EventLog, reopen: (how: 'close' | 'crash') => Promise<void>): void {
  test.each(['close', 'crash'] as const)(
    'after a %s, epoch, entries and offsets go on where they were',
    async (how) => {
      const { epoch } = current();
      await current().append([entry(0, 'a'), entry(1, 'b')]);
      await reopen(how);
      expect(current().epoch).toBe(epoch);
      expect(current().head()).toEqual([1, 1, 0]);
      expect(await current().append([entry(0, 'c'), entry(2, 'd')])).toEqual([1, 0]);
      await reopen(how);
      expect(await readAll(current(), 0)).toEqual([
        [0, 'a'],
        [1, 'c'],
      ]);
      expect(await readAll(current(), 2)).toEqual([[0, 'd']]);
    },
  );

  test('a crash with calls on their way keeps what was acknowledged, in order and without a gap', async () => {
    const acknowledged: string[] = [];
    const calls = Array.from({ length: 100 }, (_, i) =>
      current()
        .append([entry(i % 2, `${i}`)])
        .then(
          () => acknowledged.push(`${i}`),
          () => undefined,
        ),
    );
    await calls[0];
    const before = [...acknowledged];
    await reopen('crash');
    await Promise.all(calls);
    for (const partition of [0, 1]) {
      const stored = await readAll(current(), partition);
      expect(stored).toEqual(stored.map((_, i) => [i, `${i * 2 + partition}`]));
      const texts = stored.map(([, text]) => text);
      expect(texts).toEqual(expect.arrayContaining(before.filter((text) => Number(text) % 2 === partition)));
    }
  });

  test('a stopped log refuses appends', async () => {
    const log = current();
    await log.append([entry(0, 'a')]);
    const last = log.append([entry(0, 'b')]);
    await reopen('close');
    expect(await last).toEqual([1]);
    expect(() => log.append([entry(0, 'c')])).toThrow(
      expect.objectContaining({ code: 'server.unavailable' }),
    );
    expect(current().head()).toEqual([2, 0, 0]);
  });
}

function truncateTests(current: () => EventLog, reopen: (how: 'close' | 'crash') => Promise<void>): void {
  test('cutting never forgets an entry at or above the vector, and offsets go on', async () => {
    const big = 'x'.repeat(20_000);
    for (let i = 0; i < 60; i++) await current().append([entry(0, `${i}${big}`), entry(1, `${i}`)]);
    await current().truncate([40, 25, 0]);
    const check = async (): Promise<void> => {
      const tail = current().tail();
      expect(tail[0]).toBeLessThanOrEqual(40);
      expect(tail[1]).toBeLessThanOrEqual(25);
      expect(tail[2]).toBe(0);
      expect((await readAll(current(), 1, 25)).length).toBe(35);
      expect(await readAll(current(), 1, tail[1])).toHaveLength(60 - tail[1]!);
      expect(current().head()).toEqual([60, 60, 0]);
    };
    await check();
    await reopen('close');
    await check();
    await reopen('crash');
    await check();
    expect(await current().append([entry(2, 'next'), entry(0, 'next')])).toEqual([0, 60]);
  });

  test('cutting everything keeps the offsets', async () => {
    for (let i = 0; i < 30; i++) await current().append([entry(1, `${i}`)]);
    await current().truncate(current().head());
    await reopen('crash');
    expect(current().head()).toEqual([0, 30, 0]);
    expect(await current().append([entry(1, 'next')])).toEqual([30]);
  });

  test('reading below the tail is refused, not answered with a gap', async () => {
    const big = 'x'.repeat(20_000);
    for (let i = 0; i < 60; i++) await current().append([entry(0, big)]);
    await current().truncate([60, 0, 0]);
    const [oldest] = current().tail();
    const visited: number[] = [];
    const reading = current().read(0, -1, (offset) => void visited.push(offset));
    await expect(reading).rejects.toMatchObject({ code: 'log.failed' });
    if (oldest! > 0) {
      await expect(current().read(0, oldest! - 1, () => undefined)).rejects.toMatchObject({
        code: 'log.failed',
      });
    }
    expect(visited).toEqual([]);
  });
}

function entry(partition: number, text: string): LogEntry {
  return { partition, payload: Buffer.from(text) };
}

async function readAll(log: EventLog, partition: number, from = log.tail()[partition]!) {
  const found: [offset: number, text: string][] = [];
  await log.read(partition, from, (offset, payload) => {
    found.push([offset, Buffer.from(payload).toString()]);
  });
  return found;
}

/** Incompressible, and the same on every run. */
function pseudoRandomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
