/**
 * What a point costs between the bytes of a request and the log: decoding, dedupe, the log record, applying it. The
 * log itself takes everything at once and keeps nothing, so that the figure is this thread's CPU alone.
 */
import { SeriesIndex, Tail } from '@nowcast/head';
import { type DurableRecord, IngestService } from '@nowcast/ingest';
import { systemClock } from '@nowcast/kernel';
import type { IngestFormat } from '@nowcast/ports';
import { machine, median } from '../harness/machine.ts';

const pointsPerRequest = 5000;
const seriesCount = 1000;
const requestsPerRound = 40;
const rounds = 15;
const retainedPoints = 1_000_000;

type TextOf = (series: number, value: number, time: number) => string;

const lineOf: TextOf = (series, value, time) =>
  `cpu,host=web-${series},region=r${series % 10},cluster=c${series % 50} usage=${value.toFixed(2)} ${time}000000`;
const longLineOf: TextOf = (series, value, time) =>
  `cpu,host=web-${series},region=r${series % 10},cluster=c${series % 50} usage=${value / 7} ${time}000000`;
const jsonOf: TextOf = (series, value, time) =>
  `{"metric_type":"cpu_usage","value":${value.toFixed(2)},"timestamp":${time},"labels":{"host":"web-${series}","region":"r${series % 10}","cluster":"c${series % 50}"}}`;

interface Load {
  format: IngestFormat;
  text: TextOf;
  /** Series in another order every time: the guess of the next one fails. */
  shuffled: boolean;
}

const loads: Record<string, Load> = {
  'line protocol, predicted': { format: 'line-protocol', text: lineOf, shuffled: false },
  'line protocol, 17-digit values': { format: 'line-protocol', text: longLineOf, shuffled: false },
  'line protocol, shuffled': { format: 'line-protocol', text: lineOf, shuffled: true },
  'NDJSON, predicted': { format: 'ndjson', text: jsonOf, shuffled: false },
  'NDJSON, shuffled': { format: 'ndjson', text: jsonOf, shuffled: true },
};

/** Coprime to the number of series: a walk by such a step meets every series once. */
const steps = [3, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97];

/** In the same order every time, or in another order in each request. */
function seriesAt(request: number, i: number, shuffled: boolean): number {
  return (shuffled ? i * steps[request % steps.length]! + request : i) % seriesCount;
}

function bodyOf({ text, shuffled }: Load, request: number, startMs: number): Uint8Array<ArrayBuffer> {
  const parts: string[] = [];
  for (let i = 0; i < pointsPerRequest; i++) {
    const time = startMs + Math.floor(i / seriesCount);
    parts.push(text(seriesAt(request, i, shuffled), 50 + 20 * Math.sin((i + request) / 60), time));
  }
  return new Uint8Array(Buffer.from(`${parts.join('\n')}\n`));
}

/** CPU nanoseconds a point of one load, for each round. */
async function measure(load: Load): Promise<number[]> {
  const index = new SeriesIndex(1);
  const tail = new Tail(0);
  let offset = 0;
  const ingest = new IngestService({
    clock: systemClock,
    registry: index,
    recent: tail,
    partitions: 1,
    append: async (entries) => entries.map(() => offset++),
  });
  ingest.begin();
  ingest.onDurable((durable: DurableRecord) => {
    if (durable.kind !== 'points') return;
    const { receivedAt, timestamps, values, extras } = durable.record;
    const { handles } = durable;
    tail.append({
      offset: durable.offset,
      receivedAt,
      handles,
      timestamps,
      values,
      count: handles.length,
      extras,
    });
    tail.evict(Math.max(0, tail.end - retainedPoints));
  });
  const nanoseconds: number[] = [];
  let startMs = systemClock.now() - 60_000;
  for (let round = 0; round < rounds; round++) {
    const bodies = Array.from({ length: requestsPerRound }, (_, request) =>
      bodyOf(load, request, (startMs += pointsPerRequest / seriesCount)),
    );
    const before = process.threadCpuUsage();
    for (const body of bodies) {
      const { status } = await ingest.handle({
        tenant: 'bench',
        keyId: 'bench',
        format: load.format,
        precision: 'ns',
        encoding: 'identity',
        idempotencyKey: undefined,
        body,
      });
      if (status >= 300) throw new Error(`the service answered ${status}`);
    }
    const used = process.threadCpuUsage(before);
    nanoseconds.push(((used.user + used.system) * 1000) / (requestsPerRound * pointsPerRequest));
  }
  return nanoseconds;
}

/** CPU nanoseconds a point on the way from body to log record, the median of the rounds, by kind of load. */
export async function benchDecode(): Promise<object> {
  const nanosecondsPerPoint: Record<string, number> = {};
  for (const [name, load] of Object.entries(loads)) {
    nanosecondsPerPoint[name] = Math.round(median(await measure(load)));
  }
  return { measure: 'decode', machine: machine(), pointsPerRequest, seriesCount, nanosecondsPerPoint };
}
