/** An ingest service over a log in memory that can be made to fail or to wait, and an engine that applies it. */
import { type LogRecord, decodeRecord } from '@nowcast/contract';
import { AppliedMemory } from './applied-memory.ts';
import { ManualClock } from '@nowcast/kernel';
import type { IngestAnswer, IngestRequest, LogEntry } from '@nowcast/ports';
import { SeriesIndex } from '@nowcast/head';
import { type DurableRecord, type IngestOptions, IngestService } from '../ingest-service.ts';
import { receivedAt, tenant } from './decoded.ts';

/** Keeps what was appended. While `held`, appends wait; `release` lets them end, in order, well or with an error. */
export class MemoryLog {
  readonly entries: Uint8Array[][];
  held = false;
  /** What the next append is refused with, in the call itself. */
  refusal: Error | undefined;
  /** Appends that were started and not released yet, oldest first. */
  readonly waiting: ((error: Error | undefined) => void)[] = [];

  constructor(partitions: number) {
    this.entries = Array.from({ length: partitions }, () => []);
  }

  append = (entries: readonly LogEntry[]): Promise<number[]> => {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    return this.#append(entries);
  };

  async #append(entries: readonly LogEntry[]): Promise<number[]> {
    if (this.held || this.waiting.length > 0) {
      const error = await new Promise<Error | undefined>((resolve) => this.waiting.push(resolve));
      if (error !== undefined) throw error;
    }
    return entries.map(({ partition, payload }) => this.entries[partition]!.push(payload.slice()) - 1);
  }

  /** Ends what waits. Like the real log, a failure takes everything queued behind it along. */
  release(error?: Error): void {
    for (const end of this.waiting.splice(0)) end(error);
  }

  records(partition = 0): LogRecord[] {
    return this.entries[partition]!.map((payload) => decodeRecord(payload));
  }
}

export interface Fixture {
  clock: ManualClock;
  log: MemoryLog;
  index: SeriesIndex;
  memory: AppliedMemory;
  service: IngestService;
  durable: DurableRecord[];
}

export interface FixtureOptions {
  partitions?: number;
  seriesLimit?: number;
  pastMs?: number;
  maxBytesInFlight?: number;
  maxPointsInFlight?: number;
  refusal?: IngestOptions['refusal'];
  log?: MemoryLog;
  nowMs?: number;
}

/** A service ready for requests, over `log` if there is one already. */
export function startIngest(options: FixtureOptions = {}): Fixture {
  const partitions = options.partitions ?? 1;
  const clock = new ManualClock(options.nowMs ?? receivedAt);
  const log = options.log ?? new MemoryLog(partitions);
  const index = new SeriesIndex(partitions, () => options.seriesLimit ?? 1000);
  const memory = new AppliedMemory();
  const service = new IngestService({
    clock,
    registry: index,
    recent: memory,
    partitions,
    append: log.append,
    ...(options.pastMs === undefined ? {} : { pastMs: options.pastMs }),
    ...(options.maxBytesInFlight === undefined ? {} : { maxBytesInFlight: options.maxBytesInFlight }),
    ...(options.maxPointsInFlight === undefined ? {} : { maxPointsInFlight: options.maxPointsInFlight }),
    ...(options.refusal === undefined ? {} : { refusal: options.refusal }),
  });
  const durable: DurableRecord[] = [];
  service.onDurable((record) => {
    // The arrays are lent for the call only.
    durable.push(structuredClone(record));
    if (record.kind === 'points') memory.apply(record.handles, record.record);
  });
  return { clock, log, index, memory, service, durable };
}

/** Everything a restart does: series and points from the log, dedupe from a checkpoint and the log. */
export function restartIngest(
  before: Fixture,
  options: FixtureOptions = {},
  checkpoint?: Uint8Array,
): Fixture {
  const after = startIngest({ ...options, log: before.log, nowMs: before.clock.now() });
  if (checkpoint !== undefined) after.service.restore(checkpoint);
  for (let partition = 0; partition < before.log.entries.length; partition++) {
    before.log.records(partition).forEach((record, offset) => {
      if (record.kind !== 'points') return;
      record.definitions.forEach((definition, i) =>
        after.index.restore(partition, record.firstDefinition + i, definition),
      );
      const handles = record.series.map((local) => after.index.handleOf(partition, local));
      after.memory.apply(handles, record);
      after.service.replay(partition, offset, record);
    });
  }
  after.service.begin();
  return after;
}

export function send(
  fixture: Fixture,
  body: string | Uint8Array<ArrayBuffer>,
  request: Partial<Omit<IngestRequest, 'body'>> = {},
): Promise<IngestAnswer> {
  return fixture.service.handle({
    tenant,
    keyId: 'key-1',
    format: 'json',
    precision: 'ns',
    encoding: 'identity',
    idempotencyKey: undefined,
    ...request,
    body: typeof body === 'string' ? new Uint8Array(new TextEncoder().encode(body)) : body,
  });
}
