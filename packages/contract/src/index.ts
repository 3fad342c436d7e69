export * from './access.ts';
export * from './aggregate-names.ts';
export * from './alerts/index.ts';
export * from './board.ts';
export * from './catalog.ts';
export { csvRow, csvText, labelNames } from './csv.ts';
export * from './errors.ts';
export * from './labels.ts';
export * from './limits.ts';
export { ByteReader, ByteWriter } from './byte-stream.ts';
export { decodeRecord, encodeRecord, examineDamaged } from './log-codec.ts';
export type * from './log-record.ts';
export {
  type Frame,
  type FrameType,
  decodeDeltaBody,
  decodeFrame,
  decodeSnapshotBody,
  encodeDeltaBody,
  encodeFrame,
  encodeJsonFrame,
  encodeSnapshotBody,
  frameHeader,
  frameType,
} from './live/binary.ts';
export type { DeltaColumns, SeriesColumns, SnapshotColumns } from './live/columns.ts';
export * from './live/down.ts';
export { deltaFromJson, deltaToJson, snapshotFromJson, snapshotToJson } from './live/json.ts';
export * from './live/up.ts';
export * from './metric-defaults.ts';
export * from './query.ts';
export * from './time.ts';
export { valueText } from './value-text.ts';
