import type { AnswerLine } from '@nowcast/aggregate/testing';
import { ViewState } from '@nowcast/client';
import { decodeDeltaBody, decodeSnapshotBody, type Query } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { LiveViewRegistry } from '@nowcast/live';
import type { ViewFrame } from '@nowcast/ports';

/** Where the views are; a restart may make others of them. */
interface Views {
  core: { readonly live: LiveViewRegistry };
}

/** A browser without a socket: the client's own view state, fed with the frames of one view. */
export class Watcher {
  readonly query: Query;
  readonly state: ViewState;
  readonly #bench: Views;
  readonly #tenant: string;
  #view: number | undefined;
  /** What came before the view was read: frames of other viewers' views are not ours, those of our own are old. */
  #isReading = false;

  constructor(bench: Views, tenant: string, query: Query) {
    this.#bench = bench;
    this.#tenant = tenant;
    this.query = query;
    this.state = new ViewState(query.agg === 'none' ? { maxPoints: query.limit ?? 100 } : {});
  }

  /** Opens the view and catches up: from the position it has, or from nothing. */
  async connect(): Promise<void> {
    const { view, epoch } = await this.#bench.core.live.open(this.#tenant, this.query);
    // What is under way is over with this, and none of it is behind what is read.
    const { live } = this.#bench.core;
    const since = this.state.seq === '' ? undefined : { epoch, seq: this.state.seq };
    this.#view = view;
    const frame = live.read(view, since);
    this.#isReading = true;
    this.#apply(frame);
  }

  disconnect(): void {
    if (this.#view !== undefined) this.#bench.core.live.close(this.#view);
    this.connectionLost();
  }

  /** The server is gone, and with it everything it knew of this viewer. */
  connectionLost(): void {
    this.#view = undefined;
    this.#isReading = false;
  }

  receive(frames: readonly ViewFrame[]): void {
    if (!this.#isReading) return;
    for (const frame of frames) if (frame.view === this.#view) this.#apply(frame);
  }

  /** Lines that have cells at or after `from`. */
  lines(from: number): AnswerLine[] {
    return [...this.state.series.values()]
      .map(({ labels, timestamps, values }) => {
        const kept = [...timestamps.keys()].filter(
          (i) => timestamps[i]! >= from && !Number.isNaN(values[i]!),
        );
        return {
          labels,
          timestamps: kept.map((i) => timestamps[i]!),
          values: kept.map((i) => values[i]!),
        };
      })
      .filter((line) => line.timestamps.length > 0);
  }

  #apply(frame: ViewFrame): void {
    if (frame.kind === 'snapshot') {
      this.state.applySnapshot(decodeSnapshotBody(frame.body));
      return;
    }
    assert(
      frame.baseSeq === this.state.seq,
      `a delta from ${frame.baseSeq} for a viewer at ${this.state.seq}`,
    );
    this.state.applyDelta(decodeDeltaBody(frame.body));
  }
}
