import { appError } from '@nowcast/contract';
import { assert, randomId } from '@nowcast/kernel';
import type { EventLog, LogEntry, OffsetVector, PartitionId } from '@nowcast/ports';

/**
 * What survives the log over it: stands for the disk. Two logs over one store are refused, as by the local log.
 */
export class MemoryLogStore {
  readonly epoch = randomId('e');
  /** Entries of each partition from its tail on. */
  readonly entries: Uint8Array[][];
  readonly tail: number[];
  owner: MemoryEventLog | undefined;

  constructor(partitions: number) {
    this.entries = Array.from({ length: partitions }, () => []);
    this.tail = this.entries.map(() => 0);
  }
}

/**
 * The event log in memory: the same guarantees as every other one as long as the process lives, for tests that are
 * about something else and for figures that must not contain a disk. Appends settle in a later microtask, in order,
 * so that callers meet the same interleavings as with a real disk.
 */
export class MemoryEventLog implements EventLog {
  readonly partitions: number;
  readonly #store: MemoryLogStore;
  #isRunning = false;
  #queuedBytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: { store: MemoryLogStore; partitions?: number }) {
    this.#store = options.store;
    this.partitions = options.partitions ?? options.store.tail.length;
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  run(): Promise<void> {
    const { tail, owner } = this.#store;
    if (owner !== undefined) {
      return Promise.reject(
        appError('log.failed', 'the store is in use by another log: stop that one first'),
      );
    }
    if (tail.length !== this.partitions) {
      const message = `the log has ${tail.length} partitions, ${this.partitions} were asked for: ask for ${tail.length}`;
      return Promise.reject(appError('request.invalid', message));
    }
    this.#store.owner = this;
    this.#isRunning = true;
    return Promise.resolve();
  }

  append(entries: readonly LogEntry[]): Promise<number[]> {
    if (!this.#isRunning) throw notRunning();
    const bytes = entries.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    this.#queuedBytes += bytes;
    const done = this.#last.then(() => {
      this.#queuedBytes -= bytes;
      if (this.#store.owner !== this) throw notRunning();
      return entries.map((entry) => this.#add(entry));
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  head(): OffsetVector {
    return this.#store.tail.map((tail, partition) => tail + this.#store.entries[partition]!.length);
  }

  tail(): OffsetVector {
    return [...this.#store.tail];
  }

  async read(
    partition: PartitionId,
    from: number,
    visit: (offset: number, payload: Uint8Array) => void | Promise<void>,
  ): Promise<void> {
    if (!this.#isRunning) throw notRunning();
    const oldest = this.#store.tail[partition]!;
    if (from < oldest) {
      const message = `offset ${from} of partition ${partition} was cut away, the oldest kept is ${oldest}`;
      throw appError('log.failed', message);
    }
    for (const [i, payload] of this.#store.entries[partition]!.slice(from - oldest).entries()) {
      const waiting = visit(from + i, payload);
      if (waiting !== undefined) await waiting;
    }
  }

  truncate(below: OffsetVector): Promise<void> {
    for (const [partition, entries] of this.#store.entries.entries()) {
      const count = Math.min(entries.length, below[partition]! - this.#store.tail[partition]!);
      if (count <= 0) continue;
      entries.splice(0, count);
      this.#store.tail[partition]! += count;
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#last;
    this.crash();
  }

  /** Ends as SIGKILL would: calls that have not settled are lost. */
  crash(): void {
    this.#isRunning = false;
    if (this.#store.owner === this) this.#store.owner = undefined;
  }

  #add({ partition, payload }: LogEntry): number {
    const entries = this.#store.entries[partition];
    assert(entries !== undefined, `partition ${partition} of ${this.partitions}`);
    entries.push(payload.slice());
    return this.#store.tail[partition]! + entries.length - 1;
  }
}

function notRunning(): Error {
  return appError('server.unavailable', 'the log is not running: send again once the server is ready');
}
