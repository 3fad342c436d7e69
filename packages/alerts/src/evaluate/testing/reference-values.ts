import { ddIndex } from '@nowcast/aggregate';
import type { AggName } from '@nowcast/contract';

/** A point as it reached the rule. */
export interface ReceivedPoint {
  side: number;
  series: string;
  group: string;
  timestamp: number;
  value: number;
  actor: string | undefined;
}

/** Adds a point in (time, value) order. */
export function insert(points: ReceivedPoint[], point: ReceivedPoint): void {
  const isAfter = ({ timestamp, value }: ReceivedPoint) =>
    timestamp > point.timestamp || (timestamp === point.timestamp && value > point.value);
  let at = points.length;
  while (at > 0 && isAfter(points[at - 1]!)) at -= 1;
  points.splice(at, 0, point);
}

/** Of the points in [from, to); `sorted` in (time, value) order. NaN: there is none. */
export function aggregate(sorted: readonly ReceivedPoint[], agg: AggName, from: number, to: number): number {
  const points: ReceivedPoint[] = [];
  for (let i = sorted.length - 1; i >= 0 && sorted[i]!.timestamp >= from; i -= 1)
    if (sorted[i]!.timestamp < to) points.push(sorted[i]!);
  points.reverse();
  if (points.length === 0) return Number.NaN;
  const values = points.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  switch (agg) {
    case 'count':
      return points.length;
    case 'sum':
      return sum;
    case 'avg':
      return sum / points.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'first':
      return values[0]!;
    case 'last':
      return values.at(-1)!;
    case 'rate':
      return sum / ((to - from) / 1000);
    case 'increase':
      return growth(sorted, points, from, to - from);
    case 'uniques':
      return new Set(points.flatMap(({ actor }) => actor ?? [])).size || Number.NaN;
    default:
      return quantile(values, Number(agg.slice(1)) / 100);
  }
}

function growth(
  all: readonly ReceivedPoint[],
  points: readonly ReceivedPoint[],
  from: number,
  windowMs: number,
): number {
  const reach = Math.max(300_000, windowMs);
  const before = all.findLast(({ timestamp }) => timestamp < from);
  const values = points.map(({ value }) => value);
  if (before !== undefined && before.timestamp >= from - reach) values.unshift(before.value);
  return values
    .slice(1)
    .reduce((sum, value, i) => sum + (value < values[i]! ? value : value - values[i]!), 0);
}

/** The value that stands for the sketch's bucket: sketches answer within 1 %, always with the same numbers. */
function quantile(values: readonly number[], fraction: number): number {
  const exact = values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))]!;
  const gamma = 1.01 / 0.99;
  const key = ddIndex(exact);
  if (key === 0) return 0;
  return (Math.sign(key) * 2 * Math.exp((Math.abs(key) - 40_000) * Math.log(gamma))) / (gamma + 1);
}

/** When a source came back after three of its usual intervals. */
export function returns(arrivals: readonly number[]): number[] {
  const found: number[] = [];
  let usual = 0;
  arrivals.slice(1).forEach((at, i) => {
    const gap = at - arrivals[i]!;
    const silence = 3 * Math.max(1000, usual);
    if (usual > 0 && gap > silence) found.push(at);
    if (usual === 0) usual = gap;
    else if (gap < usual) usual = Math.max(1000, (usual + gap) / 2);
    else usual += (Math.min(gap, silence) - usual) / 10;
  });
  return found.slice(-100);
}
