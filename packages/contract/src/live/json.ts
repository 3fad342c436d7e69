import type { DeltaColumns, SeriesColumns, SnapshotColumns } from './columns.ts';
import type { DeltaMessage, PointRecord, SnapshotMessage } from './down.ts';

/**
 * Columns to and from the JSON messages of `nowcast.v1.json` and of Server-Sent Events. The gateway decodes a body
 * once a cohort and serialises it from here; NaN, which JSON cannot hold, is null.
 */
export function snapshotToJson(id: string, snapshot: SnapshotColumns, ack?: number): SnapshotMessage {
  const message: SnapshotMessage = {
    type: 'snapshot',
    id,
    epoch: snapshot.epoch,
    seq: snapshot.seq,
    recovered: snapshot.recovered,
    step_ms: snapshot.stepMs,
    from: snapshot.from,
    to: snapshot.to,
    series: snapshot.series.map((series) => ({
      key: series.key,
      labels: series.labels,
      timestamp: Array.from(series.timestamps),
      value: Array.from(series.values, toNullable),
    })),
  };
  if (snapshot.points !== undefined) message.points = copyPoints(snapshot.points);
  if (snapshot.note !== undefined) message.note = snapshot.note;
  if (ack !== undefined) message.ack = ack;
  return message;
}

export function deltaToJson(id: string, delta: DeltaColumns, ack?: number): DeltaMessage {
  const cells: DeltaMessage['cells'] = [];
  for (let index = 0; index < delta.count; index++)
    cells.push([delta.keys[index]!, delta.buckets[index]!, toNullable(delta.values[index]!)]);
  const message: DeltaMessage = { type: 'delta', id, base_seq: delta.baseSeq, seq: delta.seq, cells };
  if (delta.series.length > 0) message.series = delta.series.map(({ key, labels }) => ({ key, labels }));
  if (delta.removed.length > 0) message.removed = [...delta.removed];
  if (delta.points !== undefined) message.points = copyPoints(delta.points);
  if (delta.newest !== 0) message.newest = delta.newest;
  if (ack !== undefined) message.ack = ack;
  return message;
}

export function snapshotFromJson(message: SnapshotMessage): SnapshotColumns {
  const snapshot: SnapshotColumns = {
    epoch: message.epoch,
    seq: message.seq,
    recovered: message.recovered,
    stepMs: message.step_ms,
    from: message.from,
    to: message.to,
    series: message.series.map(({ key, labels, timestamp, value }): SeriesColumns => ({
      key,
      labels,
      timestamps: Float64Array.from(timestamp),
      values: Float64Array.from(value, fromNullable),
    })),
  };
  if (message.points !== undefined) snapshot.points = message.points;
  if (message.note !== undefined) snapshot.note = message.note;
  return snapshot;
}

export function deltaFromJson(message: DeltaMessage): DeltaColumns {
  const delta: DeltaColumns = {
    baseSeq: message.base_seq,
    seq: message.seq,
    newest: message.newest ?? 0,
    series: message.series ?? [],
    removed: message.removed ?? [],
    count: message.cells.length,
    keys: Uint32Array.from(message.cells, ([key]) => key),
    buckets: Float64Array.from(message.cells, ([, bucket]) => bucket),
    values: Float64Array.from(message.cells, ([, , value]) => fromNullable(value)),
  };
  if (message.points !== undefined) delta.points = message.points;
  return delta;
}

function toNullable(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function fromNullable(value: number | null): number {
  return value ?? Number.NaN;
}

function copyPoints(points: readonly PointRecord[]): PointRecord[] {
  return points.map((point) => ({ ...point }));
}
