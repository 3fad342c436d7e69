import {
  binaryProtocol,
  decodeDeltaBody,
  decodeSnapshotBody,
  deltaToJson,
  type DownMessage,
  encodeJsonFrame,
  frameHeader,
  frameType,
  jsonProtocol,
  snapshotToJson,
} from '@nowcast/contract';
import { assert } from '@nowcast/kernel';
import type { ViewFrame } from '@nowcast/ports';
import { messageFrame } from './frames.ts';

/** A crowd wants few forms; somebody who subscribes a hundred times under a hundred ids gets copies that nobody keeps. */
const keptBytes = 4 * 1024 * 1024;

/** How a connection wants its messages. */
export type LiveFormat = typeof binaryProtocol | typeof jsonProtocol | 'sse';

/**
 * One frame of a view in every form a connection may want it. Each form is made when the first connection asks and
 * kept while the frame is being sent, so that a thousand viewers cost one encoding. The binary body comes ready from
 * the engine; JSON is only made when somebody speaks it.
 */
export class EncodedFrame {
  readonly frame: ViewFrame;
  readonly #kind: 'snapshot' | 'delta';
  readonly #epoch: string;
  readonly #forms = new Map<string, Buffer>();
  #formBytes = 0;
  #json: string | undefined;

  constructor(frame: ViewFrame, epoch: string) {
    assert(frame.kind !== 'ended', 'the end of a view is no frame for viewers');
    this.frame = frame;
    this.#kind = frame.kind;
    this.#epoch = epoch;
  }

  /** `ack` 0: does not ask. */
  bytes(format: LiveFormat, id: string, ack: number): Buffer {
    const key = `${format}/${ack}/${id}`;
    let bytes = this.#forms.get(key);
    if (bytes === undefined) {
      bytes = this.#encode(format, id, ack);
      if (this.#forms.size === 0 || this.#formBytes + bytes.length <= keptBytes) {
        this.#forms.set(key, bytes);
        this.#formBytes += bytes.length;
      }
    }
    return bytes;
  }

  #encode(format: LiveFormat, id: string, ack: number): Buffer {
    const { body, seq } = this.frame;
    const kind = this.#kind;
    if (format === binaryProtocol) {
      return messageFrame('binary', frameHeader(frameType[kind], id, ack === 0 ? undefined : ack), body);
    }
    const text = `{"type":"${kind}","id":${JSON.stringify(id)}${ack === 0 ? '' : `,"ack":${ack}`}${this.#jsonTail()}`;
    if (format === jsonProtocol) return messageFrame('text', Buffer.from(text));
    return Buffer.from(`event: ${kind}\nid: ${ssePosition(this.#epoch, seq)}\ndata: ${text}\n\n`);
  }

  /** The JSON of the message after its `id`: the same for everybody. */
  #jsonTail(): string {
    if (this.#json === undefined) {
      const kind = this.#kind;
      const { body } = this.frame;
      const message =
        kind === 'snapshot'
          ? snapshotToJson('', decodeSnapshotBody(body))
          : deltaToJson('', decodeDeltaBody(body));
      this.#json = JSON.stringify(message).slice(`{"type":"${kind}","id":""`.length);
    }
    return this.#json;
  }
}

/** Any other message, in the form of the connection. */
export function encodeMessage(format: LiveFormat, message: DownMessage): Buffer {
  if (format === binaryProtocol) return messageFrame('binary', encodeJsonFrame(message));
  const text = JSON.stringify(message);
  if (format === jsonProtocol) return messageFrame('text', Buffer.from(text));
  return Buffer.from(`event: ${message.type}\ndata: ${text}\n\n`);
}

/** Position of an SSE stream as its event id; both parts are opaque, so both are escaped. */
function ssePosition(epoch: string, seq: string): string {
  return `${encodeURIComponent(epoch)}/${encodeURIComponent(seq)}`;
}

/** Reads `Last-Event-ID`; anything we did not write is no position. */
export function readSsePosition(header: string | undefined): { epoch: string; seq: string } | undefined {
  const match = /^([^/]{1,192})\/([^/]{0,1536})$/.exec(header ?? '');
  try {
    return match === null
      ? undefined
      : { epoch: decodeURIComponent(match[1] ?? ''), seq: decodeURIComponent(match[2] ?? '') };
  } catch {
    return undefined;
  }
}
