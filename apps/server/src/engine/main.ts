/**
 * Entry of the engine's worker thread: builds the core from its adapters and answers the main thread's calls.
 * A call that throws answers with its error; only a core that cannot start or loses its log ends the thread.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createEmbeddedWarehouse } from '@nowcast/adapter-clickhouse';
import { LocalEventLog, type LogStats, partitionsOfLog } from '@nowcast/adapter-local-log';
import { MemoryHotStore } from '@nowcast/adapter-memory';
import { defaultsFor } from '@nowcast/dashboards';
import { assert, systemClock, unreachable } from '@nowcast/kernel';
import type { IngestRequest, ViewFrame } from '@nowcast/ports';
import { leastKeptBytes } from '../http/body-pool.ts';
import { EngineCore } from './core.ts';
import { DataHold } from './data-hold.ts';
import type { EngineLog } from './embedded-engine.ts';
import { packFrames } from './frames.ts';
import type { EngineCall, FromEngine, ToEngine } from './messages.ts';
import type { EngineOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import type { LogFigures } from './stats.ts';
import { toWireError } from './wire-error.ts';

assert(parentPort !== null, 'the engine runs as a worker thread');
const port = parentPort;
/** Age at which states leave memory: nothing that the warehouse must drop is older, the shortest retention is a day. */
const hotStatesMs = 86_400_000;
const cancels = new Map<number, AbortController>();

/** Sent when all that goes on from here, as the requests of one group commit do, has said what it has to. */
const outbox = new Outbox<FromEngine>(
  (messages, transfer) => port.postMessage(messages, transfer),
  (post) => process.nextTick(post),
  sayInstead,
);

function send(message: FromEngine, transfer: readonly ArrayBuffer[] = []): void {
  outbox.push(message, transfer);
}

/** A call whose answer cannot be copied fails; of anything else, which nobody waits for, at least the log tells. */
function sayInstead(message: FromEngine, error: unknown): void {
  if ('id' in message) send({ kind: 'error', id: message.id, error: toWireError(error) });
  else log('error', 'a message of the engine cannot be sent', { kind: message.kind, cause: String(error) });
}

const options = workerData as EngineOptions;
const log: EngineLog = (level, message, fields) => send({ kind: 'log', level, message, fields });
const logDirectory = join(options.dataDir, 'log');
const eventLog = new LocalEventLog({
  directory: logDirectory,
  partitions: options.partitions ?? (await partitionsOfLog(logDirectory)) ?? 1,
  onAlarm: ({ kind, path, message, cause }) => {
    log(kind === 'torn-tail' ? 'warn' : 'error', message, { kind, path, cause: String(cause) });
    if (kind === 'failed') send({ kind: 'refusing', reason: message });
  },
});
const warehouse = createEmbeddedWarehouse({
  dir: join(options.dataDir, 'warehouse'),
  clock: systemClock,
  log: (message, fields) => log('warn', message, fields),
});
const hold = new DataHold(eventLog, warehouse, options.dataDir);
const core = new EngineCore({
  options,
  clock: systemClock,
  eventLog,
  logFigures: () => figuresOf(eventLog.stats()),
  warehouse,
  hot: new MemoryHotStore({ budgetRows: options.hotStates, keepMs: hotStatesMs }),
  defaults: (metricType) => {
    const { default_agg, default_across } = defaultsFor(metricType);
    return { default_agg, default_across };
  },
  log,
  publish: (frames) => {
    const { heads, bodies } = packFrames(frames);
    send({ kind: 'frames', heads, bodies }, [bodies.buffer]);
  },
  transitions: (batch) => send({ kind: 'transitions', batch }),
  degraded: (why) => send({ kind: 'degraded', why }),
  fatal: (error) => send({ kind: 'failed', error: toWireError(error) }),
});

function figuresOf(stats: LogStats): LogFigures {
  return {
    counters: {
      log_appends_total: stats.appends,
      log_bytes_total: stats.bytes,
      log_fsyncs_total: stats.fsyncs,
      log_full_total: stats.full,
    },
    gauges: { log_failed: stats.failed ? 1 : 0 },
    histograms: { log_fsync_seconds: stats.fsyncSeconds, log_group_calls: stats.groupCalls },
  };
}

async function answer(
  call: Exclude<EngineCall, { method: 'ingest' }>,
  signal: AbortSignal,
): Promise<unknown> {
  switch (call.method) {
    case 'data':
      return core.data(call.tenant, call.query, signal);
    case 'metrics':
      return core.metrics(call.tenant, call.search, call.limit);
    case 'metricsNamed':
      return core.metricsNamed(call.tenant, call.names);
    case 'labels':
      return core.labels(call.tenant, call.metricType, call.where, call.limit);
    case 'sourceStatus':
      return core.sourceStatus(call.tenant, call.keyId);
    case 'open':
      return core.openView(call.tenant, call.query);
    case 'read':
      return ownBody(core.live.read(call.view, call.since));
    case 'close':
      return core.live.close(call.view);
    case 'stats':
      return core.stats();
    case 'putRule':
      return core.alerts.put(call.tenant, call.rule);
    case 'removeRule':
      return core.alerts.remove(call.tenant, call.ruleId);
    case 'rules':
      return core.alerts.rules(call.tenant);
    case 'preview':
      return core.alerts.preview(call.tenant, call.evaluation, call, signal);
    case 'confirm':
      return core.alerts.engine.confirm(call.seq);
    case 'hold':
      return hold.take();
    case 'release':
      return hold.release();
    case 'stop':
      return core.stop();
    default:
      return unreachable(call);
  }
}

/** A frame whose body is a buffer of its own: cloning a view would clone all that lies behind it. */
function ownBody(frame: ViewFrame): ViewFrame {
  return { ...frame, body: new Uint8Array(frame.body) };
}

async function serve(id: number, call: EngineCall): Promise<void> {
  if (call.method === 'ingest') return ingest(id, call.request);
  const cancel = new AbortController();
  cancels.set(id, cancel);
  try {
    send({ kind: 'answer', id, value: await answer(call, cancel.signal) });
  } catch (error) {
    send({ kind: 'error', id, error: toWireError(error) });
  } finally {
    cancels.delete(id);
  }
}

/** No request of this kind is ever cancelled: what was received is stored. */
async function ingest(id: number, request: IngestRequest): Promise<void> {
  const { buffer } = request.body;
  const [body, transfer] = buffer.byteLength >= leastKeptBytes ? [buffer, [buffer]] : [undefined, []];
  try {
    send({ kind: 'answer', id, value: await core.ingest(request), body }, transfer);
  } catch (error) {
    send({ kind: 'error', id, error: toWireError(error), body }, transfer);
  }
}

port.on('message', (messages: ToEngine[]) => {
  for (const message of messages) {
    if (message.kind === 'cancel') cancels.get(message.id)?.abort();
    else void serve(message.id, message.call);
  }
});

try {
  await core.run();
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'failed', error: toWireError(error) });
}
