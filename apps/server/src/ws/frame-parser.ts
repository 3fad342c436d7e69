import { isUtf8 } from 'node:buffer';

/**
 * The receiving half of RFC 6455 for a server, as a push parser: bytes come in pieces of any size, messages go out.
 * Written here rather than taken from a library because the sending half must write pre-built frames to thousands of
 * sockets, and because the caps have to hold before anything is buffered: at no time does a connection hold more than
 * one message of `maxBytes`.
 */
export interface FrameHandler<Peer> {
  /** UTF-8, in bytes that are overwritten once this returns: who keeps them keeps a copy. */
  onText(peer: Peer, text: Uint8Array): void;
  onPing(peer: Peer, payload: Uint8Array): void;
  onPong(peer: Peer): void;
  /** The peer closes; `code` is 1005 when it gave none. */
  onClose(peer: Peer, code: number): void;
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

  whole(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/** The bytes of one peer. There is one of these for every connection: the handler is everybody's. */
export class FrameParser<Peer> {
  readonly #maxBytes: number;
  readonly #handler: FrameHandler<Peer>;
  readonly #peer: Peer;
  /** A frame that is not complete yet, and how many bytes of it are worth another look. */
  #partial: GrowingBytes | undefined;
  #needed = 0;
  /** Payload of a fragmented message so far; undefined outside of one. */
  #fragments: GrowingBytes | undefined;
  #closed = false;

  constructor(maxBytes: number, handler: FrameHandler<Peer>, peer: Peer) {
    this.#maxBytes = maxBytes;
    this.#handler = handler;
    this.#peer = peer;
  }

  /**
   * Takes the next bytes, and overwrites them: they are unmasked where they lie. Throws `ProtocolError`; after that, or
   * after a close frame, everything is ignored.
   */
  push(chunk: Uint8Array): void {
    if (this.#closed) return;
    let bytes = chunk;
    if (this.#partial !== undefined) {
      this.#partial.add(chunk);
      if (this.#partial.length < this.#needed) return;
      bytes = this.#partial.whole();
      this.#partial = undefined;
    }
    this.#needed = 0;
    let at = 0;
    try {
      while (at < bytes.length && !this.#closed) {
        const used = this.#frame(bytes, at);
        if (used === 0) break;
        at += used;
      }
    } catch (error) {
      this.#closed = true;
      throw error;
    }
    if (at === bytes.length || this.#closed) return;
    this.#partial = new GrowingBytes();
    this.#partial.add(bytes.subarray(at));
  }

  /** Handles one frame that begins at `at` and returns its length, or 0 when it is not complete. */
  #frame(bytes: Uint8Array, at: number): number {
    const left = bytes.length - at;
    if (left < 2) return 0;
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const code = first & 0x0f;
    const final = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) throw new ProtocolError(1002, 'reserved bits are set');
    if ((second & 0x80) === 0) throw new ProtocolError(1002, 'frames of a client must be masked');
    const short = second & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (left < head) return 0;
    const length = short < 126 ? short : longLength(bytes, at + 2, head);
    this.#check(code, final, length);
    const total = head + 4 + length;
    if (left < total) {
      this.#needed = total;
      return 0;
    }
    const payload = unmask(bytes, at + head, length);
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
    if ((code === opcode.continuation) !== (this.#fragments !== undefined)) {
      throw new ProtocolError(1002, 'fragments out of order');
    }
    if ((this.#fragments?.length ?? 0) + length > this.#maxBytes) {
      throw new ProtocolError(1009, `a message may have ${this.#maxBytes} bytes at most`);
    }
  }

  #data(final: boolean, payload: Uint8Array): void {
    if (final && this.#fragments === undefined) {
      this.#text(payload);
      return;
    }
    this.#fragments ??= new GrowingBytes();
    this.#fragments.add(payload);
    if (!final) return;
    const whole = this.#fragments.whole();
    this.#fragments = undefined;
    this.#text(whole);
  }

  #text(whole: Uint8Array): void {
    if (!isUtf8(whole)) throw new ProtocolError(1007, 'the message is not UTF-8');
    this.#handler.onText(this.#peer, whole);
  }

  #control(code: number, payload: Uint8Array): void {
    if (code === opcode.ping) this.#handler.onPing(this.#peer, payload);
    else if (code === opcode.pong) this.#handler.onPong(this.#peer);
    else {
      this.#closed = true;
      this.#handler.onClose(this.#peer, closeCode(payload));
    }
  }
}

/** A length of 16 or 64 bits, for a `head` of 4 or 10 bytes. */
function longLength(bytes: Uint8Array, at: number, head: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  return head === 4 ? view.getUint16(0) : view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/** In place: a message that is looked at and forgotten costs no memory. */
function unmask(bytes: Uint8Array, maskAt: number, length: number): Uint8Array {
  const from = maskAt + 4;
  for (let i = 0; i < length; i++) bytes[from + i] = bytes[from + i]! ^ bytes[maskAt + (i & 3)]!;
  return bytes.subarray(from, from + length);
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
