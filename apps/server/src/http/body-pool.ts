import { BodyRoom } from './body-room.ts';

/** Bodies below this are cheap to allocate, and most of them are of routes that keep them. */
export const leastKeptBytes = 16 * 1024;
const mostBytes = 4 * 1024 * 1024;
/** Buffers kept of each size. */
const mostKept = 8;

/**
 * Memory for the bodies of ingest requests, used again and again. A body travels to the engine's thread and back with
 * the answer: V8 counts array memory that is left behind, and collects the whole heap of a thread every 64 MB, which
 * at full load is every second request's work over again.
 */
export class BodyPool {
  /** What all of them together may take: apart for points, so that a backlog of them keeps nobody from saving. */
  readonly pointsRoom = new BodyRoom();
  readonly otherRoom = new BodyRoom();
  /** Free buffers by size, a power of two. */
  readonly #free = new Map<number, ArrayBuffer[]>();

  /** Exactly `length` bytes with any content. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const size = sizeFor(length);
    if (size === undefined) return new Uint8Array(length);
    return new Uint8Array(this.#free.get(size)?.pop() ?? new ArrayBuffer(size), 0, length);
  }

  /** Takes back what `take` gave, wherever it has been since; other buffers are let go of. */
  give(buffer: ArrayBuffer): void {
    const size = sizeFor(buffer.byteLength);
    if (size !== buffer.byteLength) return;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else if (free.length < mostKept) free.push(buffer);
  }
}

function sizeFor(length: number): number | undefined {
  if (length < leastKeptBytes || length > mostBytes) return undefined;
  return 2 ** Math.ceil(Math.log2(length));
}
