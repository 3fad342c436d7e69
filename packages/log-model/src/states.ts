import type { Bucket, ModelPoint } from './system.ts';

/** Mergeable states by (series, bucket): the arithmetic that reference and suite share. */
export type States = Map<string, Bucket>;

export function stateKey(bucket: { series: string; start: number }): string {
  return `${bucket.series}@${bucket.start}`;
}

export function pointState(point: ModelPoint, stepMs: number): Bucket {
  const start = Math.floor(point.timestamp / stepMs) * stepMs;
  return { series: point.series, start, count: 1, sum: point.value, min: point.value, max: point.value };
}

export function mergeInto(states: States, add: Bucket): void {
  const key = stateKey(add);
  const had = states.get(key);
  states.set(
    key,
    had === undefined
      ? { ...add }
      : {
          ...had,
          count: had.count + add.count,
          sum: had.sum + add.sum,
          min: Math.min(had.min, add.min),
          max: Math.max(had.max, add.max),
        },
  );
}

export function statesOf(points: Iterable<ModelPoint>, stepMs: number): States {
  const states: States = new Map();
  for (const point of points) mergeInto(states, pointState(point, stepMs));
  return states;
}

/** The same states in coarser buckets; `stepMs` is a multiple of theirs. */
export function coarser(states: Iterable<Bucket>, stepMs: number): Bucket[] {
  const merged: States = new Map();
  for (const state of states) {
    mergeInto(merged, { ...state, start: Math.floor(state.start / stepMs) * stepMs });
  }
  return [...merged.values()];
}

/** One line a bucket, sorted: two sets of buckets are equal when these are. */
export function renderBuckets(buckets: Iterable<Bucket>): string[] {
  return [...buckets]
    .map((b) => `${b.series}@${b.start} count=${b.count} sum=${b.sum} min=${b.min} max=${b.max}`)
    .sort();
}
