import { isUtf8 } from 'node:buffer';

/**
 * The receiving half of RFC 6455 for a server, as a push parser: bytes come in pieces of any size, messages go out.
 * Written here rather than taken from a library because the sending half must write pre-built frames to thousands of
 * sockets, and because the caps have to hold before anything is buffered: at no time does a connection hold more than
 * one message of `maxBytes`.
 */
export interface FrameHandler {
  onText(text: string): void;
  onPing(payload: Uint8Array): void;
  onPong(): void;
  /** The peer closes; `code` is 1005 when it gave none. */
  onClose(code: number): void;
}

/** A peer that broke the protocol; `code` is what to close with. */
export class ProtocolError extends Error {
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.closeCode = closeCode;
  }
}

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const empty = new Uint8Array(0);

/**
 * Bytes that arrive in pieces, copied into one buffer that doubles. A piece kept as it came would pin the whole block
 * the socket was read into; a list of them would let a peer that sends single bytes cost a hundred times what it
 * sends, and joining at every piece the square of it.
 */
class GrowingBytes {
  #bytes: Uint8Array = empty;
  length = 0;

  add(piece: Uint8Array): void {
    const needed = this.length + piece.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(this.length === 0 ? needed : Math.max(needed, this.length * 2));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.length);
    this.length = needed;
  }

  /** All of them; nothing is kept. */
  take(): Uint8Array {
    const whole = this.#bytes.subarray(0, this.length);
    this.#bytes = empty;
    this.length = 0;
    return whole;
  }
}

export class FrameParser {
  readonly #maxBytes: number;
  readonly #handler: FrameHandler;
  /** A frame that is not complete yet, how many bytes of it are here, and how many are worth another look. */
  readonly #partial = new GrowingBytes();
  #needed = 0;
  /** Payload of a fragmented message so far. */
  readonly #fragments = new GrowingBytes();
  #fragmented = false;
  #closed = false;

  constructor(maxBytes: number, handler: FrameHandler) {
    this.#maxBytes = maxBytes;
    this.#handler = handler;
  }

  /** Takes the next bytes. Throws `ProtocolError`; after that, or after a close frame, everything is ignored. */
  push(chunk: Uint8Array): void {
    if (this.#closed) return;
    let bytes = chunk;
    if (this.#partial.length > 0) {
      this.#partial.add(chunk);
      if (this.#partial.length < this.#needed) return;
      bytes = this.#partial.take();
    }
    this.#needed = 0;
    try {
      for (;;) {
        const used = this.#frame(bytes);
        if (used === 0) break;
        bytes = bytes.subarray(used);
        if (this.#closed) return;
      }
    } catch (error) {
      this.#closed = true;
      throw error;
    }
    if (bytes.length > 0) this.#partial.add(bytes);
  }

  /** Handles one frame at the start of `bytes` and returns its length, or 0 when it is not complete. */
  #frame(bytes: Uint8Array): number {
    if (bytes.length < 2) return 0;
    const first = bytes[0]!;
    const second = bytes[1]!;
    const code = first & 0x0f;
    const final = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) throw new ProtocolError(1002, 'reserved bits are set');
    if ((second & 0x80) === 0) throw new ProtocolError(1002, 'frames of a client must be masked');
    const { length, head } = payloadLength(bytes, second & 0x7f);
    if (head === 0) return 0;
    this.#check(code, final, length);
    const total = head + 4 + length;
    if (bytes.length < total) {
      this.#needed = total;
      return 0;
    }
    const payload = unmask(bytes, head, length);
    if (code >= opcode.close) this.#control(code, payload);
    else this.#data(final, payload);
    return total;
  }

  /** What can be judged from the header is judged before the payload is waited for. */
  #check(code: number, final: boolean, length: number): void {
    if (code >= opcode.close) {
      if (code > opcode.pong) throw new ProtocolError(1002, `unknown opcode ${code}`);
      if (!final || length > 125) throw new ProtocolError(1002, 'a control frame must be short and whole');
      return;
    }
    if (code > opcode.binary) throw new ProtocolError(1002, `unknown opcode ${code}`);
    if (code === opcode.binary) throw new ProtocolError(1003, 'send JSON text, not binary messages');
    if ((code === opcode.continuation) !== this.#fragmented) {
      throw new ProtocolError(1002, 'fragments out of order');
    }
    if (this.#fragments.length + length > this.#maxBytes) {
      throw new ProtocolError(1009, `a message may have ${this.#maxBytes} bytes at most`);
    }
  }

  #data(final: boolean, payload: Uint8Array): void {
    if (final && !this.#fragmented) {
      this.#text(payload);
      return;
    }
    this.#fragments.add(payload);
    this.#fragmented = !final;
    if (final) this.#text(this.#fragments.take());
  }

  #text(whole: Uint8Array): void {
    if (!isUtf8(whole)) throw new ProtocolError(1007, 'the message is not UTF-8');
    this.#handler.onText(Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString('utf8'));
  }

  #control(code: number, payload: Uint8Array): void {
    if (code === opcode.ping) this.#handler.onPing(payload);
    else if (code === opcode.pong) this.#handler.onPong();
    else {
      this.#closed = true;
      this.#handler.onClose(closeCode(payload));
    }
  }
}

/** `head` counts the bytes before the mask; 0: they have not all come. */
function payloadLength(bytes: Uint8Array, short: number): { length: number; head: number } {
  if (short < 126) return { length: short, head: 2 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (short === 126)
    return bytes.length < 4 ? { length: 0, head: 0 } : { length: view.getUint16(2), head: 4 };
  if (bytes.length < 10) return { length: 0, head: 0 };
  return { length: view.getUint32(2) * 2 ** 32 + view.getUint32(6), head: 10 };
}

function unmask(bytes: Uint8Array, maskAt: number, length: number): Uint8Array {
  const payload = new Uint8Array(length);
  for (let i = 0; i < length; i++) payload[i] = bytes[maskAt + 4 + i]! ^ bytes[maskAt + (i & 3)]!;
  return payload;
}

/** The code a close frame carries. Throws on one that may not be sent (RFC 6455, 7.4). */
function closeCode(payload: Uint8Array): number {
  if (payload.length === 0) return 1005;
  const code = payload.length === 1 ? 0 : payload[0]! * 256 + payload[1]!;
  const known =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (!known) throw new ProtocolError(1002, 'not a close code');
  if (!isUtf8(payload.subarray(2))) throw new ProtocolError(1007, 'the close reason is not UTF-8');
  return code;
}
