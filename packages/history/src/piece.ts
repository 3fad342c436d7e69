import type { QueryGrid } from '@nowcast/aggregate';
import type { SeriesIndex } from '@nowcast/head';
import type { OffsetVector, PointColumns, QueryLimits, StateColumns, StateParts } from '@nowcast/ports';
import { planQuery } from './plan.ts';
import { byStableId, type Selection } from './selection.ts';
import { Cells, mostCells } from './cells/cells.ts';
import type { LayeredRows } from './stored-rows.ts';

/** What is stored of a range: merged states by unit, and points where no state fits. */
export interface Piece {
  borders: Float64Array;
  /** In ascending order of stable ids; `points.series` counts in it. */
  selection: Selection;
  states: StateColumns | undefined;
  points: PointColumns | undefined;
}

export interface PieceRequest {
  selection: Selection;
  /** Bucket starts and the exclusive end, epoch ms. */
  borders: Float64Array;
  parts: StateParts;
  at: OffsetVector;
  limits: QueryLimits;
  /** Read every point, use no states. */
  pointsOnly: boolean;
}

/** What of the states the grid's answer is worked out from. */
export function statePartsOf({ parts, spec: { agg } }: QueryGrid): StateParts {
  const { scalar, ends, growth, quantiles, uniques } = parts;
  return { scalar, extremes: agg === 'min' || agg === 'max', ends, growth, quantiles, uniques };
}

/** `onMissing` is called when the warehouse is asked. */
export async function readPiece(
  stored: LayeredRows,
  index: SeriesIndex,
  request: PieceRequest,
  onMissing: () => void,
): Promise<Piece> {
  const { borders, parts } = request;
  const { selection, ids } = byStableId(request.selection, index);
  const from = borders[0]!;
  const to = borders[borders.length - 1]!;
  if (ids.length === 0 || from >= to) return { borders, selection, states: undefined, points: undefined };
  const { resolutions, statedAt, bySketch, coarse } = planQuery(borders, parts.quantiles || parts.uniques);
  const useStates = !request.pointsOnly && resolutions.length > 0;
  const common = {
    at: request.at,
    tenant: selection.tenant,
    metric: selection.metric,
    series: ids,
    from,
    to,
    limits: request.limits,
  };
  const [states, points] = await Promise.all([
    useStates
      ? stored.readStates(
          { ...common, groups: selection.units, buckets: borders, resolutions, coarse, parts },
          onMissing,
        )
      : undefined,
    useStates && statedAt.length === 0
      ? undefined
      : stored.readPoints(
          { ...common, ...(useStates ? { statedAt, bySketch } : {}), records: parts.uniques },
          onMissing,
        ),
  ]);
  return { borders, selection, states, points };
}

/** Merges the states of a piece. */
export function feedStates(piece: Piece, grid: QueryGrid): void {
  if (piece.states !== undefined) grid.mergeStates(piece.states, piece.borders);
}

/**
 * Points a cell from which on cells of their own are worth having for them, before the grid merges those: from fewer
 * it is quicker to look up the row of each, and a sketch costs as much as the points of a large one.
 */
const leastPoints = { numbers: 1, sketches: 20 };
/** Points after which other work of the thread may run: about a millisecond of them. */
const slicePoints = 20_000;

/** Adds the points of a piece, in slices; not those of a counter, which must meet the tail's first. */
export function* feedPoints({ points, borders, selection }: Piece, grid: QueryGrid): Generator<void, void> {
  if (points === undefined) return;
  const { units } = selection;
  const { series, timestamps, values } = points;
  const count = grid.unitCount * (borders.length - 1);
  const least = count * (grid.parts.quantiles ? leastPoints.sketches : leastPoints.numbers);
  if (grid.parts.uniques || count > mostCells || points.length < least) {
    for (let i = 0; i < points.length; i++) {
      grid.addPoint(units[series[i]!]!, timestamps[i]!, values[i]!, points.actors?.[i]);
      if (i % slicePoints === slicePoints - 1) yield;
    }
    return;
  }
  const cells = new Cells(statePartsOf(grid), grid.unitCount, borders.length - 1);
  let sliced = 0;
  for (let from = 0; from < points.length;) {
    let to = from + 1;
    while (to < points.length && series[to] === series[from] && isInOrder(points, to)) to++;
    cells.addSorted(units[series[from]!]!, borders, timestamps, values, from, to);
    from = to;
    if (from - sliced < slicePoints) continue;
    sliced = from;
    yield;
  }
  grid.mergeStates(cells.columns(), borders);
}

/** Whether a point is not before the one in front of it. */
function isInOrder({ timestamps, values }: PointColumns, i: number): boolean {
  const [before, time] = [timestamps[i - 1]!, timestamps[i]!];
  return before < time || (before === time && values[i - 1]! <= values[i]!);
}

/** States of one bucket that ends where the range begins: each unit's last value seeds its counter. */
export function seedFrom(piece: Piece, grid: QueryGrid): void {
  const { states } = piece;
  if (states === undefined) return;
  for (let i = 0; i < states.length; i++)
    grid.seedCounter(states.group[i]!, states.lastAt[i]!, states.last[i]!);
}
