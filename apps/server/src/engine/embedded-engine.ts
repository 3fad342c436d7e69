import { Worker } from 'node:worker_threads';
import {
  appError,
  type DataAnswer,
  type LabelValues,
  type MetricInfo,
  type Query,
  type SourceStatus,
  type Where,
} from '@nowcast/contract';
import type { Unsubscribe } from '@nowcast/kernel';
import type {
  AlertEvaluation,
  Engine,
  EngineStats,
  IngestAnswer,
  IngestRequest,
  LiveBus,
  LiveViews,
  OpenView,
  TransitionBatch,
  ViewFrame,
} from '@nowcast/ports';
import { leastKeptBytes } from '../http/body-pool.ts';
import type { HeldData } from './data-hold.ts';
import { unpackFrames } from './frames.ts';
import type { EngineCall, FromEngine, ToEngine } from './messages.ts';
import type { EngineOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { fromWireError } from './wire-error.ts';

/** Receives the worker's log lines. */
export type EngineLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Record<string, unknown>,
) => void;

/** An engine whose data lies on this machine, and can be copied while it runs. */
export interface LocalEngine extends Engine {
  /** The data at one vector, kept as it is until `release`. Rejects with `request.conflict` while it is held. */
  hold(): Promise<HeldData>;
  release(): Promise<void>;
}

interface Pending {
  resolve: (value: never) => void;
  reject(error: unknown): void;
}

/**
 * The data plane of the embedded mode: one worker thread that owns the log, the tail, the live views and the
 * warehouse's client. This side only passes messages, so that nothing the engine computes delays a socket; the frames
 * of each tick go to the gateways over `bus`. `onBody` gets the memory of an ingested body back.
 */
export function createEmbeddedEngine(
  options: EngineOptions,
  log: EngineLog,
  onFatal: (error: Error) => void,
  bus: LiveBus,
  onBody: (body: ArrayBuffer) => void = () => undefined,
): LocalEngine {
  return new EmbeddedEngine(options, log, onFatal, bus, onBody);
}

class EmbeddedEngine implements LocalEngine {
  readonly #options: EngineOptions;
  readonly #log: EngineLog;
  readonly #onFatal: (error: Error) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #bus: LiveBus;
  readonly #onBody: (body: ArrayBuffer) => void;
  #worker: Worker | undefined;
  /** Sent when every socket that has something was read: requests that came together travel together. */
  readonly #outbox = new Outbox<ToEngine>(
    (messages, transfer) => this.#worker?.postMessage(messages, transfer),
    setImmediate,
    (message, error) => this.#refuse(message, error),
  );
  #nextId = 1;
  #stopping = false;
  #refusal: string | undefined;
  #degraded: string | undefined;
  /** What the worker decided before anybody listened. */
  readonly #transitions: TransitionBatch[] = [];
  #transitionListener: ((batch: TransitionBatch) => void) | undefined;

  readonly live: LiveViews = {
    open: (tenant, query) => this.#call<OpenView>({ method: 'open', tenant, query }),
    read: (view, since) => this.#call<ViewFrame>({ method: 'read', view, since }),
    close: (view) => {
      this.#call({ method: 'close', view }).catch(() => undefined);
    },
    onFrames: (listener): Unsubscribe => this.#bus.subscribe(listener),
  };

  readonly alerts: AlertEvaluation = {
    put: (tenant, rule) => this.#call({ method: 'putRule', tenant, rule }),
    remove: (tenant, ruleId) => this.#call({ method: 'removeRule', tenant, ruleId }),
    rules: (tenant) => this.#call({ method: 'rules', tenant }),
    preview: (tenant, evaluation, from, to, signal) =>
      this.#call({ method: 'preview', tenant, evaluation, from, to }, signal),
    onTransitions: (listener) => this.#listenToTransitions(listener),
    confirm: (seq) => {
      this.#call({ method: 'confirm', seq }).catch(() => undefined);
    },
  };

  constructor(
    options: EngineOptions,
    log: EngineLog,
    onFatal: (error: Error) => void,
    bus: LiveBus,
    onBody: (body: ArrayBuffer) => void,
  ) {
    this.#options = options;
    this.#log = log;
    this.#onFatal = onFatal;
    this.#bus = bus;
    this.#onBody = onBody;
  }

  run(): Promise<void> {
    const worker = new Worker(new URL('main.ts', import.meta.url), { workerData: this.#options });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        reject(error);
        this.#fail(error);
        // An engine that could not start would otherwise keep the process alive, with a port and nothing behind it.
        void worker.terminate();
      };
      worker.on('message', (messages: FromEngine[]) => {
        for (const message of messages) {
          if (message.kind === 'ready') resolve();
          else if (message.kind === 'failed') fail(fromWireError(message.error));
          else this.#receive(message);
        }
      });
      worker.on('error', fail);
      worker.on('exit', (code) =>
        fail(appError('server.unavailable', `the engine stopped with code ${code}`)),
      );
    });
  }

  async stop(): Promise<void> {
    if (this.#worker === undefined || this.#stopping) return;
    this.#stopping = true;
    await this.#call({ method: 'stop' }).catch(() => undefined);
    await this.#worker.terminate();
  }

  ingest(request: IngestRequest): Promise<IngestAnswer> {
    const { buffer } = request.body;
    const transfer = buffer.byteLength >= leastKeptBytes ? [buffer] : [];
    return this.#call<IngestAnswer>({ method: 'ingest', request }, undefined, transfer);
  }

  data(tenant: string, query: Query, signal?: AbortSignal): Promise<DataAnswer> {
    return this.#call<DataAnswer>({ method: 'data', tenant, query }, signal);
  }

  metrics(tenant: string, search: string, limit: number): Promise<MetricInfo[]> {
    return this.#call<MetricInfo[]>({ method: 'metrics', tenant, search, limit });
  }

  metricsNamed(tenant: string, names: readonly string[]): Promise<MetricInfo[]> {
    return this.#call<MetricInfo[]>({ method: 'metricsNamed', tenant, names });
  }

  labels(tenant: string, metricType: string, where: Where, limit: number): Promise<LabelValues[]> {
    return this.#call<LabelValues[]>({ method: 'labels', tenant, metricType, where, limit });
  }

  sourceStatus(tenant: string, keyId: string): Promise<SourceStatus> {
    return this.#call<SourceStatus>({ method: 'sourceStatus', tenant, keyId });
  }

  stats(): Promise<EngineStats> {
    return this.#call<EngineStats>({ method: 'stats' });
  }

  hold(): Promise<HeldData> {
    return this.#call<HeldData>({ method: 'hold' });
  }

  release(): Promise<void> {
    return this.#call<void>({ method: 'release' });
  }

  refusal(): string | undefined {
    return this.#refusal;
  }

  degraded(): string | undefined {
    return this.#degraded;
  }

  #listenToTransitions(listener: (batch: TransitionBatch) => void): Unsubscribe {
    this.#transitionListener = listener;
    for (const batch of this.#transitions.splice(0)) listener(batch);
    return () => {
      this.#transitionListener = undefined;
    };
  }

  #call<T = unknown>(call: EngineCall, signal?: AbortSignal, transfer: ArrayBuffer[] = []): Promise<T> {
    if (this.#worker === undefined)
      return Promise.reject(appError('server.unavailable', 'the engine is not running'));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) return reject(appError('request.cancelled', 'the request was cancelled'));
      this.#pending.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => this.#cancel(id), { once: true });
      this.#outbox.push({ kind: 'call', id, call }, transfer);
    });
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#outbox.push({ kind: 'cancel', id });
    pending.reject(appError('request.cancelled', 'the request was cancelled'));
  }

  #refuse(message: ToEngine, error: unknown): void {
    this.#pending.get(message.id)?.reject(error);
    this.#pending.delete(message.id);
  }

  #receive(message: Exclude<FromEngine, { kind: 'ready' | 'failed' }>): void {
    if (message.kind === 'frames') {
      this.#bus.publish(unpackFrames(message.heads, message.bodies));
    } else if (message.kind === 'transitions') {
      if (this.#transitionListener === undefined) this.#transitions.push(message.batch);
      else this.#transitionListener(message.batch);
    } else if (message.kind === 'refusing') {
      this.#refusal = message.reason;
    } else if (message.kind === 'degraded') {
      this.#degraded = message.why;
    } else if (message.kind === 'log') {
      this.#log(message.level, message.message, message.fields);
    } else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.body !== undefined) this.#onBody(message.body);
      if (message.kind === 'answer') pending?.resolve(message.value as never);
      else pending?.reject(fromWireError(message.error));
    }
  }

  #fail(error: Error): void {
    if (this.#worker === undefined) return;
    this.#worker = undefined;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    if (!this.#stopping) this.#onFatal(error);
  }
}
