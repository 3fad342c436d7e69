import { SlicedWork, turnMs } from '@nowcast/kernel/slices';
import type { LiveViewRegistry } from '@nowcast/live';
import type { OffsetVector, ViewFrame } from '@nowcast/ports';
import type { NewPoints } from './new-points.ts';

export interface LivePassParts {
  live: LiveViewRegistry;
  points: NewPoints;
  /** Log position after all that was applied. */
  at: () => OffsetVector;
  publish: (frames: readonly ViewFrame[]) => void;
  /** Monotonic ms. */
  now: () => number;
  /** Hears when a pass that was due began, and how long it kept the thread. */
  ended: (begun: number, tookMs: number) => void;
}

/**
 * The views' passes over what arrived, each in slices: points are taken between two of them. Whoever asks anything of
 * the views finishes the running one first, so that nobody sees half of it.
 */
export class LivePass {
  readonly #parts: LivePassParts;
  readonly #work: SlicedWork;
  #newestReceivedAt = 0;

  constructor(parts: LivePassParts) {
    this.#parts = parts;
    this.#work = new SlicedWork(turnMs, parts.now);
  }

  /** Points of these series were applied. */
  note(handles: Uint32Array, receivedAt: number): void {
    this.#parts.points.note(handles);
    this.#newestReceivedAt = receivedAt;
  }

  /** Begins a pass over what was noted since the last one; while one is running, that goes on. */
  begin(): void {
    if (this.#work.isRunning) return;
    const { now, live, ended } = this.#parts;
    const begun = now();
    this.#work.start(this.#pass(), (tookMs) => {
      ended(begun, tookMs);
      if (live.wantsReload) this.views.reload();
    });
  }

  /** Does the rest of the running one. */
  finish(): void {
    this.#work.finish();
  }

  /** The views, after everything applied has reached them: what a reader sees is never behind its own write. */
  get views(): LiveViewRegistry {
    this.finish();
    if (this.#parts.points.touchedCount > 0) {
      this.#work.start(this.#pass(), () => undefined);
      this.finish();
    }
    return this.#parts.live;
  }

  *#pass(): Generator<void, void> {
    const { points, live, at, publish } = this.#parts;
    const receivedAt = this.#newestReceivedAt;
    this.#newestReceivedAt = 0;
    const { handles, count } = points.begin();
    const frames = yield* live.advance({
      at: at(),
      receivedAt,
      touched: handles,
      touchedCount: count,
      gather: (some, length) => points.gather(some, length),
      read: (i, wants) => points.read(i, wants),
    });
    points.settle();
    if (frames.length > 0) publish(frames);
  }
}
