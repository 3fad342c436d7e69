import type { AnswerLine } from '@nowcast/aggregate/testing';
import { decodeDeltaBody, decodeSnapshotBody, type PointRecord, type SeriesLabels } from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { ViewFrame } from '@nowcast/ports';
import { compareRecords } from './fake-engine.ts';

/** The least a client must do with frames to show what the server knows; tests compare it with the reference. */
export class Viewer {
  seq: string | undefined;
  readonly #lines = new Map<number, { labels: SeriesLabels; cells: Map<number, number> }>();
  #points: PointRecord[] = [];
  snapshots = 0;
  deltas = 0;

  apply(frame: ViewFrame): void {
    if (frame.kind === 'snapshot') this.#start(frame.body);
    else this.#change(frame.body);
    this.seq = frame.seq;
  }

  /** Lines that have cells at or after `from`. */
  lines(from: number): AnswerLine[] {
    return [...this.#lines.values()]
      .map(({ labels, cells }) => {
        const kept = [...cells].filter(([start, value]) => start >= from && !Number.isNaN(value));
        return { labels, timestamps: kept.map(([start]) => start), values: kept.map(([, value]) => value) };
      })
      .filter(({ timestamps }) => timestamps.length > 0);
  }

  points(from: number, limit: number): PointRecord[] {
    return this.#points
      .filter(({ timestamp }) => timestamp >= from)
      .toSorted(compareRecords)
      .slice(-limit);
  }

  #start(body: Uint8Array): void {
    const snapshot = decodeSnapshotBody(body);
    this.snapshots += 1;
    this.#lines.clear();
    for (const { key, labels, timestamps, values } of snapshot.series)
      this.#lines.set(key, {
        labels,
        cells: new Map(Array.from(timestamps, (start, i) => [start, values[i]!])),
      });
    this.#points = [...(snapshot.points ?? [])];
  }

  #change(body: Uint8Array): void {
    const delta = decodeDeltaBody(body);
    this.deltas += 1;
    assert(delta.baseSeq === this.seq, `delta from ${delta.baseSeq} while at ${this.seq}`);
    for (const key of delta.removed) assert(this.#lines.delete(key), `line ${key} removed but never shown`);
    for (const { key, labels } of delta.series) {
      assert(!this.#lines.has(key), `line ${key} added twice`);
      this.#lines.set(key, { labels, cells: new Map() });
    }
    for (let i = 0; i < delta.count; i += 1) {
      const line = this.#lines.get(delta.keys[i]!);
      assert(line !== undefined, `cell of line ${delta.keys[i]} that was never added`);
      line.cells.set(delta.buckets[i]!, delta.values[i]!);
    }
    this.#points.push(...(delta.points ?? []));
  }
}
