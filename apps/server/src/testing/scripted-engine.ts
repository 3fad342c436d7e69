import {
  appError,
  type DataAnswer,
  encodeDeltaBody,
  encodeSnapshotBody,
  type EvaluatedRule,
  type LabelValues,
  type MetricInfo,
  type Query,
  type SourceStatus,
} from '@nowcast/contract';
import type {
  AlertEvaluation,
  DecidedTransition,
  Engine,
  EngineStats,
  IngestAnswer,
  IngestRequest,
  LiveViews,
  OpenView,
  TransitionBatch,
  ViewFrame,
} from '@nowcast/ports';

interface ScriptedView {
  number: number;
  opens: number;
  query: Query;
  /** Value of bucket i, in order of publication: entry n was made by `seq` n + 1. */
  cells: { bucket: number; value: number }[];
}

const epoch = 'e1';

/**
 * A data plane whose views change when the test says so: each has one series, and `publish` sets one bucket. It keeps
 * the port's promises (positions, order, merged reads), so the gateway in front of it is the real thing.
 */
export class ScriptedEngine implements Engine {
  readonly ingested: IngestRequest[] = [];
  /** What `data` was asked. */
  readonly queries: Query[] = [];
  readonly views = new Map<string, ScriptedView>();
  /** Metrics whose views cannot be read for now. */
  readonly unreadable = new Set<string>();
  #numbers = 0;
  readonly #ended = new Set<number>();
  reads = 0;
  answer: IngestAnswer = { status: 200, body: '{"accepted":1}' };
  /** What `data` answers; a test may replace it. */
  dataAnswer: Partial<DataAnswer> = {};
  readonly #listeners = new Set<(frames: readonly ViewFrame[]) => void>();

  readonly live: LiveViews = {
    open: async (tenant, query): Promise<OpenView> => {
      if (query.metric_type === 'refused') throw appError('query.invalid', 'window: use a number and a unit');
      const key = `${tenant}/${JSON.stringify(query)}`;
      const view = this.views.get(key) ?? { number: ++this.#numbers, opens: 0, query, cells: [] };
      this.views.set(key, view);
      view.opens++;
      return { view: view.number, epoch, agg: query.agg, stepMs: 1000 };
    },
    read: async (number, since) => {
      this.reads++;
      // As from another thread: not within the turn that asked.
      await new Promise((resolve) => setImmediate(resolve));
      const view = this.#view(number);
      if (this.unreadable.has(view.query.metric_type))
        throw appError('warehouse.unavailable', 'history cannot be read for the moment');
      const known = since?.epoch === epoch ? Number(since.seq) : Number.NaN;
      return known >= 0 && known <= view.cells.length ? this.#delta(view, known) : this.#snapshot(view);
    },
    close: (number) => {
      if (!this.#ended.has(number)) this.#view(number).opens--;
    },
    onFrames: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  readonly rules = new Map<string, EvaluatedRule>();
  readonly confirmed: number[] = [];
  #transitions: ((batch: TransitionBatch) => void) | undefined;
  #seq = 0;

  /** Nothing is evaluated here: what rules decide is what the test says (`decide`). */
  readonly alerts: AlertEvaluation = {
    put: async (_tenant, rule) => {
      if (rule.evaluation.query?.metric_type === 'refused')
        throw appError('query.invalid', 'window: use a number and a unit');
      this.rules.set(rule.rule_id, rule);
    },
    remove: async (_tenant, ruleId) => {
      this.rules.delete(ruleId);
    },
    rules: async () => [],
    preview: async (_tenant, _evaluation, from, to) => {
      return { from, to, step_ms: 60_000, point_ms: 60_000, fired: 0, series: [], more: 0 };
    },
    onTransitions: (listener) => {
      this.#transitions = listener;
      return () => {
        this.#transitions = undefined;
      };
    },
    confirm: (seq) => this.confirmed.push(seq),
  };

  /** One tick that decided these. */
  decide(...transitions: DecidedTransition[]): void {
    this.#seq++;
    this.#transitions?.({ seq: this.#seq, transitions });
  }

  /** One tick: each named metric's view gets a bucket. */
  publish(changes: Readonly<Record<string, { bucket: number; value: number }>>): void {
    const frames: ViewFrame[] = [];
    for (const view of this.views.values()) {
      const change = changes[view.query.metric_type];
      if (change === undefined) continue;
      view.cells.push(change);
      if (view.opens > 0) frames.push(this.#delta(view, view.cells.length - 1));
    }
    for (const listener of this.#listeners) listener(frames);
  }

  /** The engine lets go of the metric's views, as it does after a defect. */
  end(metric: string): void {
    const frames: ViewFrame[] = [];
    for (const [key, view] of this.views) {
      if (view.query.metric_type !== metric) continue;
      frames.push({ ...this.#frame(view, 'ended', '', new Uint8Array(0)), seq: '' });
      this.views.delete(key);
      this.#ended.add(view.number);
    }
    for (const listener of this.#listeners) listener(frames);
  }

  #view(number: number): ScriptedView {
    for (const view of this.views.values()) if (view.number === number) return view;
    throw appError('server.error', `no view ${number}`);
  }

  #delta(view: ScriptedView, since: number): ViewFrame {
    const merged = new Map(view.cells.slice(since).map(({ bucket, value }) => [bucket, value]));
    const body = encodeDeltaBody({
      baseSeq: String(since),
      seq: String(view.cells.length),
      newest: 0,
      series: since === 0 ? [{ key: 0, labels: {} }] : [],
      removed: [],
      count: merged.size,
      keys: new Uint32Array(merged.size),
      buckets: Float64Array.from(merged.keys()),
      values: Float64Array.from(merged.values()),
    });
    return this.#frame(view, 'delta', String(since), body);
  }

  #snapshot(view: ScriptedView): ViewFrame {
    const merged = new Map(view.cells.map(({ bucket, value }) => [bucket, value]));
    const buckets = [...merged.keys()].sort((a, b) => a - b);
    const body = encodeSnapshotBody({
      epoch,
      seq: String(view.cells.length),
      recovered: false,
      stepMs: 1000,
      from: 0,
      to: 1_000_000,
      series: [
        {
          key: 0,
          labels: {},
          timestamps: Float64Array.from(buckets),
          values: Float64Array.from(buckets, (bucket) => merged.get(bucket)!),
        },
      ],
    });
    return this.#frame(view, 'snapshot', '', body);
  }

  #frame(view: ScriptedView, kind: ViewFrame['kind'], baseSeq: string, body: Uint8Array): ViewFrame {
    const seq = String(view.cells.length);
    return { view: view.number, kind, baseSeq, seq, recovered: false, receivedAt: Date.now(), body };
  }

  async ingest(request: IngestRequest): Promise<IngestAnswer> {
    this.ingested.push(request);
    return this.answer;
  }

  async data(_tenant: string, query: Query): Promise<DataAnswer> {
    this.queries.push(query);
    const { metric_type, agg, across } = query;
    const series: DataAnswer['series'] = [
      { labels: { host: '=a' }, timestamp: [1000, 2000], value: [1.5, null] },
    ];
    return {
      metric_type,
      agg,
      across,
      step_ms: 1000,
      from: 0,
      to: 3000,
      complete_to: 3000,
      series,
      ...this.dataAnswer,
    };
  }

  async metrics(): Promise<MetricInfo[]> {
    return [];
  }

  async metricsNamed(): Promise<MetricInfo[]> {
    return [];
  }

  async labels(): Promise<LabelValues[]> {
    const values = ['db-1', 'web-1', 'web-2'].map((value) => ({ value, series: 1 }));
    return [{ label: 'host', values }];
  }

  async sourceStatus(_tenant: string, keyId: string): Promise<SourceStatus> {
    const accepted = this.ingested.filter((request) => request.keyId === keyId).length;
    const seen = accepted === 0 ? null : 1000;
    return {
      key_id: keyId,
      accepted,
      rejected: 0,
      first_seen_at: seen,
      last_seen_at: seen,
      last_error: null,
      first_sample: null,
      sample: null,
      metrics: [],
    };
  }

  async stats(): Promise<EngineStats> {
    return { counters: { ingest_points_total: 7 }, gauges: {}, histograms: {} };
  }

  degraded(): string | undefined {
    return undefined;
  }

  refusal(): string | undefined {
    return undefined;
  }

  async run(): Promise<void> {}

  async stop(): Promise<void> {}
}
