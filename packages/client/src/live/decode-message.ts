import {
  type DeltaColumns,
  type DownMessage,
  type SnapshotColumns,
  appError,
  decodeDeltaBody,
  decodeFrame,
  decodeSnapshotBody,
  deltaFromJson,
  frameType,
  snapshotFromJson,
} from '@nowcast/contract';

/** A message of either subprotocol in one form: views as columns, the rest as it is in JSON. */
export type Incoming =
  | { type: 'snapshot'; id: string; ack: number | undefined; snapshot: SnapshotColumns }
  | { type: 'delta'; id: string; ack: number | undefined; delta: DeltaColumns }
  | Exclude<DownMessage, { type: 'snapshot' | 'delta' }>
  /** Of a newer server: ignored. */
  | { type: 'unknown' };

const known = new Set([
  'snapshot',
  'delta',
  'notice',
  'goaway',
  'welcome',
  'heartbeat',
  'following',
  'event',
]);
const textDecoder = new TextDecoder();

/** Throws `live.message_invalid` when the data is no message of the protocol. */
export function decodeMessage(data: unknown): Incoming {
  if (typeof data === 'string') return fromText(data);
  const bytes = toBytes(data);
  const frame = decodeFrame(bytes);
  const { id, ack } = frame;
  if (frame.type === frameType.json) return fromText(textDecoder.decode(frame.body));
  if (frame.type === frameType.snapshot)
    return { type: 'snapshot', id, ack, snapshot: decodeSnapshotBody(frame.body) };
  return { type: 'delta', id, ack, delta: decodeDeltaBody(frame.body) };
}

function toBytes(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof Uint8Array) return data;
  throw appError('live.message_invalid', 'the socket delivered neither text nor an ArrayBuffer');
}

function fromText(text: string): Incoming {
  try {
    const message = JSON.parse(text) as DownMessage;
    if (!known.has(message.type)) return { type: 'unknown' };
    if (message.type === 'snapshot')
      return { type: 'snapshot', id: message.id, ack: message.ack, snapshot: snapshotFromJson(message) };
    if (message.type === 'delta')
      return { type: 'delta', id: message.id, ack: message.ack, delta: deltaFromJson(message) };
    return message;
  } catch (cause) {
    throw appError('live.message_invalid', 'the server sent text that is no message of the live protocol', {
      cause,
    });
  }
}
