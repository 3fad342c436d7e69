import { type DeltaColumns, decodeDeltaBody, decodeSnapshotBody, querySchema } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { Cell, Frame, Inspection, LogSystem, ModelPoint, ModelView, Position } from '@nowcast/log-model';
import type { ViewFrame } from '@nowcast/ports';
import type { EngineBench } from './engine-bench.ts';
import { flushDeaths } from './mortal.ts';

interface OpenedView {
  view: ModelView;
  id: number;
  epoch: string;
  /** What the keys of the view's frames stand for. */
  names: Map<number, string>;
}

const tenant = 'acme';

/**
 * The engine as the model of the log sees it. A view of the model is one live query grouped by a label, over a fixed
 * minute; the model's times count from the beginning of that minute.
 */
export class ModelSystem implements LogSystem {
  readonly #bench: EngineBench;
  readonly #baseMs: number;
  #views = new Map<string, Promise<OpenedView>>();
  readonly #byId = new Map<number, OpenedView>();
  #listener: (frame: Frame) => void = () => undefined;
  #crashes = 0;

  constructor(bench: EngineBench, baseMs: number) {
    this.#bench = bench;
    this.#baseMs = baseMs;
    bench.onFrames = (frames) => this.#publish(frames);
  }

  async append(points: readonly ModelPoint[]): Promise<void> {
    const answer = await this.#bench.ingest(this.#bodyOf(points));
    assert(answer.status === 200, `refused: ${answer.status} ${answer.body}`);
  }

  tick(): Promise<void> {
    this.#bench.clock.advance(1000);
    this.#bench.tick();
    return Promise.resolve();
  }

  async flush(crashAt?: number): Promise<void> {
    if (crashAt === undefined) return this.#bench.flush();
    const at = flushDeaths[crashAt % flushDeaths.length]!;
    await this.#bench.crashInFlush({ at, flushesBefore: this.#crashes % 3 });
    this.#processEnded();
  }

  compact(): Promise<void> {
    return this.#bench.maintain(Number.POSITIVE_INFINITY);
  }

  /** The engine cuts its log by itself, behind every flush. */
  cut(): Promise<void> {
    return Promise.resolve();
  }

  async read(view: ModelView, since?: Position): Promise<Frame> {
    const opened = await this.#open(view);
    return toFrame(opened, this.#bench.core.live.read(opened.id, since), this.#baseMs);
  }

  onFrame(listener: (frame: Frame) => void): void {
    this.#listener = listener;
  }

  async crash(inFlight: readonly ModelPoint[]): Promise<void> {
    const how = this.#crashes % 2 === 0 ? 'stored' : 'lost';
    await this.#bench.crashInAppend(how, () => this.#bench.ingest(this.#bodyOf(inFlight)));
    this.#processEnded();
  }

  async inspect(): Promise<Inspection> {
    const { epoch, head, tail, watermark, dedupe } = await this.#bench.positions();
    // Nothing reads the log for alerts yet.
    const { flushes } = this.#bench;
    return { epoch, head, tail, watermark, dedupeCheckpoint: dedupe, alertCheckpoint: head, flushes };
  }

  stop(): Promise<void> {
    return this.#bench.destroy();
  }

  #processEnded(): void {
    this.#crashes += 1;
    this.#views = new Map();
    this.#byId.clear();
  }

  #bodyOf(points: readonly ModelPoint[]): string {
    return points
      .map(({ series, timestamp, value, dataId }) =>
        JSON.stringify({
          metric_type: 'load',
          source: 'model',
          labels: { series },
          timestamp: this.#baseMs + timestamp,
          value,
          ...(dataId === undefined ? {} : { data_id: dataId }),
        }),
      )
      .join('\n');
  }

  #open(view: ModelView): Promise<OpenedView> {
    const key = `${view.agg}/${view.stepMs}`;
    let opened = this.#views.get(key);
    if (opened === undefined) {
      opened = this.#openNew(view);
      this.#views.set(key, opened);
    }
    return opened;
  }

  async #openNew(view: ModelView): Promise<OpenedView> {
    const query = querySchema.parse({
      metric_type: 'load',
      agg: view.agg,
      step: `${view.stepMs}ms`,
      group_by: ['series'],
      from: this.#baseMs,
      to: this.#baseMs + 60_000,
    });
    const { view: id, epoch } = await this.#bench.core.live.open(tenant, query);
    const opened = { view, id, epoch, names: new Map<number, string>() };
    this.#byId.set(id, opened);
    return opened;
  }

  #publish(frames: readonly ViewFrame[]): void {
    for (const frame of frames) {
      const opened = this.#byId.get(frame.view);
      if (opened !== undefined) this.#listener(toFrame(opened, frame, this.#baseMs));
    }
  }
}

function toFrame(opened: OpenedView, frame: ViewFrame, baseMs: number): Frame {
  const { names, epoch, view } = opened;
  const { seq, baseSeq, kind, recovered } = frame;
  assert(kind !== 'ended', 'no view of the model is ever dropped');
  const cells = kind === 'snapshot' ? snapshotCells(names, frame, baseMs) : deltaCells(names, frame, baseMs);
  return { view, epoch, seq, baseSeq, kind, recovered, cells };
}

function snapshotCells(names: Map<number, string>, frame: ViewFrame, baseMs: number): Cell[] {
  return decodeSnapshotBody(frame.body).series.flatMap(({ key, labels, timestamps, values }) => {
    const series = labels['series']!;
    names.set(key, series);
    return Array.from(timestamps, (timestamp, i) => ({
      series,
      start: timestamp - baseMs,
      value: values[i]!,
    }));
  });
}

function deltaCells(names: Map<number, string>, frame: ViewFrame, baseMs: number): Cell[] {
  const delta: DeltaColumns = decodeDeltaBody(frame.body);
  for (const { key, labels } of delta.series) names.set(key, labels['series']!);
  return Array.from({ length: delta.count }, (_, i) => ({
    series: names.get(delta.keys[i]!)!,
    start: delta.buckets[i]! - baseMs,
    value: delta.values[i]!,
  }));
}
