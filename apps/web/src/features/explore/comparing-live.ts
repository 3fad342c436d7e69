/**
 * A live port whose every view also carries the same view of an earlier time, moved to now: the chart, its legend and
 * the table below know nothing of it. The earlier buckets are handed over as if they arrived, each not before the
 * bucket it is compared with: a comparison must not make a source that fell silent look alive.
 */
import { formatDuration, parseDuration, type QueryInput, type SnapshotColumns } from '@nowcast/contract';
import { firstComparedKey } from '../../live/series-name.ts';
import type { LivePort, ViewHandlers } from '../../live/live-port.ts';

export interface Comparison {
  /** How much earlier. */
  shiftMs: number;
  /** Stands in the legend beside the groups: `1 day earlier`. */
  name: string;
}

export function comparingLive(live: LivePort, comparison: Comparison): LivePort {
  return {
    ...live,
    subscribe: (query, handlers) => {
      if (query.agg === 'none') return live.subscribe(query, handlers);
      const earlier = new EarlierView(live, query, comparison, handlers);
      const stop = live.subscribe(query, {
        onSnapshot: (snapshot) => {
          handlers.onSnapshot(snapshot);
          earlier.follow(snapshot);
        },
        onDelta: (delta) => {
          handlers.onDelta(delta);
          earlier.advance(delta.buckets.subarray(0, delta.count), delta.values);
        },
        onNotice: (notice) => handlers.onNotice(notice),
      });
      return () => {
        stop();
        earlier.stop();
      };
    },
  };
}

class EarlierView {
  readonly #live: LivePort;
  readonly #query: QueryInput;
  readonly #comparison: Comparison;
  readonly #handlers: ViewHandlers;
  #stop: () => void = () => undefined;
  #stepMs = 0;
  #shiftMs = 0;
  /** End of the range that was asked for, in its own time. */
  #askedTo = Number.NEGATIVE_INFINITY;
  #snapshot: SnapshotColumns | null = null;
  /** Newest bucket of the present. */
  #newestMs = Number.NEGATIVE_INFINITY;
  /** Up to here, in time of the present, everything was handed over. */
  #handedTo = Number.NEGATIVE_INFINITY;
  #named = new Set<number>();

  constructor(live: LivePort, query: QueryInput, comparison: Comparison, handlers: ViewHandlers) {
    this.#live = live;
    this.#query = query;
    this.#comparison = comparison;
    this.#handlers = handlers;
  }

  stop(): void {
    this.#stop();
  }

  /** The present starts anew: so does what it is compared with. */
  follow(snapshot: SnapshotColumns): void {
    this.#named = new Set();
    this.#handedTo = Number.NEGATIVE_INFINITY;
    this.#newestMs = this.#query.window === undefined ? snapshot.to : Number.NEGATIVE_INFINITY;
    if (snapshot.stepMs !== this.#stepMs) {
      this.#stepMs = snapshot.stepMs;
      this.#ask();
    }
    for (const { timestamps, values } of snapshot.series) this.#note(timestamps, values);
    this.#handOver();
  }

  advance(buckets: ArrayLike<number>, values: ArrayLike<number>): void {
    this.#note(buckets, values);
    if (this.#query.window !== undefined && this.#newestMs - this.#shiftMs >= this.#askedTo) this.#ask();
    this.#handOver();
  }

  #note(times: ArrayLike<number>, values: ArrayLike<number>): void {
    for (let i = 0; i < times.length; i++) {
      if (times[i]! > this.#newestMs && !Number.isNaN(values[i])) this.#newestMs = times[i]!;
    }
  }

  /** Asks for the earlier range in the same buckets; a sliding one for as far ahead as there are data. */
  #ask(): void {
    const { from, to, window, ...rest } = this.#query;
    this.#shiftMs = Math.ceil(this.#comparison.shiftMs / this.#stepMs) * this.#stepMs;
    const range =
      window === undefined
        ? { from: Number(from) - this.#shiftMs, to: Number(to) - this.#shiftMs }
        : this.#slidingRange(parseDuration(window));
    this.#askedTo = range.to;
    this.#stop();
    const query: QueryInput = { ...rest, ...range, step: formatDuration(this.#stepMs) };
    this.#stop = this.#live.subscribe(query, {
      onSnapshot: (snapshot) => {
        this.#snapshot = snapshot;
        this.#handOver();
      },
      onDelta: () => undefined,
      onNotice: (notice) => this.#handlers.onNotice(notice),
    });
  }

  #slidingRange(windowMs: number): { from: number; to: number } {
    const now = Math.round(this.#live.serverNow());
    const start = now - windowMs - this.#shiftMs - 2 * this.#stepMs;
    return { from: start, to: Math.min(now, now - this.#shiftMs + windowMs) };
  }

  #handOver(): void {
    const until = this.#newestMs;
    if (this.#snapshot === null || until <= this.#handedTo) return;
    const keys: number[] = [];
    const buckets: number[] = [];
    const values: number[] = [];
    const series: { key: number; labels: Record<string, string> }[] = [];
    for (const { key, labels, timestamps, values: column } of this.#snapshot.series) {
      for (let i = 0; i < timestamps.length; i++) {
        const time = timestamps[i]! + this.#shiftMs;
        if (time <= this.#handedTo || time > until) continue;
        keys.push(firstComparedKey + key);
        buckets.push(time);
        values.push(column[i]!);
      }
      if (keys.at(-1) !== firstComparedKey + key || this.#named.has(key)) continue;
      this.#named.add(key);
      series.push({ key: firstComparedKey + key, labels: { ...labels, compared: this.#comparison.name } });
    }
    this.#handedTo = until;
    if (keys.length === 0) return;
    this.#handlers.onDelta({
      baseSeq: '',
      seq: '',
      newest: 0,
      series,
      removed: [],
      count: keys.length,
      keys: Uint32Array.from(keys),
      buckets: Float64Array.from(buckets),
      values: Float64Array.from(values),
    });
  }
}
