import { basename } from 'node:path';
import type { OffsetVector } from '@nowcast/ports';
import type { Segment } from './segment.ts';

/** A part of the log as it stands on the disk: the first `size` bytes of `path` are durable and never change again. */
export interface LogFile {
  name: string;
  path: string;
  size: number;
}

/** The log's files at one vector: every record in [tail, head). */
export interface LogCopy {
  files: LogFile[];
  tail: OffsetVector;
  head: OffsetVector;
}

/**
 * Keeps what the log holds from being cut, while it goes on being written to, so that it can be copied.
 *
 * Copying the folder would not do: a segment that is cut meanwhile is written over (see spare-segments.ts), and one
 * that is being written ends in half a frame. A held segment is not cut, and only its durable bytes are given out.
 */
export class HeldLog {
  /** The log's own list: segments that come later appear in it. */
  readonly #segments: readonly Segment[];
  readonly #held: Set<Segment>;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
    this.#held = new Set(segments);
    for (const segment of segments) segment.readers += 1;
  }

  /** Everything from when the hold began to what is durable now; held until `release` as well. */
  copy(): LogCopy {
    for (const segment of this.#segments) {
      if (this.#held.has(segment)) continue;
      this.#held.add(segment);
      segment.readers += 1;
    }
    const files = this.#segments.map(({ path, end }) => ({ name: basename(path), path, size: end }));
    return { files, tail: this.#segments[0]!.base, head: this.#segments.at(-1)!.next };
  }

  release(): void {
    for (const segment of this.#held) segment.readers -= 1;
    this.#held.clear();
  }
}
