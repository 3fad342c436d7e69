import type { Cell, ModelPoint, ModelView } from './system.ts';

/** Everything about the points of one series in one bucket. */
export interface Bucket {
  series: string;
  start: number;
  count: number;
  sum: number;
  min: number;
  max: number;
}

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

export function cellsOf(states: States, view: ModelView): Cell[] {
  return [...states.values()].map((state) => ({
    series: state.series,
    start: state.start,
    value: state[view.agg],
  }));
}

export function viewKey(view: ModelView): string {
  return `${view.agg}/${view.stepMs}`;
}

/** One line a cell, sorted: two sets of cells are equal when these are. */
export function renderCells(cells: Iterable<Cell>): string[] {
  return [...cells].map((cell) => `${stateKey(cell)} ${cell.value}`).sort();
}
