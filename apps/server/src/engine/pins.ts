import type { HeadSource, Pin } from '@nowcast/history';
import type { PartitionState } from './partition-state.ts';

/** Which vectors snapshots still read at: the tail above them stays, and the warehouse keeps their generation. */
export class Pins implements HeadSource {
  readonly #states: readonly PartitionState[];
  readonly #held = new Set<Pin>();

  constructor(states: readonly PartitionState[]) {
    this.#states = states;
    this.tails = states.map((state) => state.tail);
  }

  readonly tails;

  pin(): Pin {
    const pin: Pin = {
      at: this.#states.map((state) => state.watermark),
      positions: this.#states.map((state) => state.flushedPosition),
      release: () => this.#held.delete(pin),
    };
    this.#held.add(pin);
    return pin;
  }

  /** Vectors in use besides the present one. */
  vectors(): (readonly number[])[] {
    return [...this.#held].map((pin) => pin.at);
  }

  /** Points of the partition below this position may leave memory. */
  evictable(partition: number): number {
    let position = this.#states[partition]!.flushedPosition;
    for (const pin of this.#held) position = Math.min(position, pin.positions[partition]!);
    return position;
  }
}
