import { opcode } from './frame-parser.ts';

/** The sending half of RFC 6455: whole, unmasked frames that are built once and written to any number of sockets. */
export function messageFrame(kind: 'text' | 'binary', ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headLength + length);
  frame[0] = 0x80 | opcode[kind];
  if (headLength === 2) frame[1] = length;
  else if (headLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length >>> 0, 6);
  }
  let at = headLength;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** A control frame; its payload is at most 125 bytes. */
function controlFrame(kind: 'ping' | 'pong' | 'close', payload: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(0x80 | opcode[kind], payload.length), payload]);
}

export const pingFrame: Buffer = controlFrame('ping', new Uint8Array(0));

export function pongFrame(payload: Uint8Array): Buffer {
  return controlFrame('pong', payload);
}

export function closeFrame(code: number, reason: string): Buffer {
  // A reason that is cut inside a character would not be UTF-8 any more.
  const text = Buffer.from(reason).subarray(0, 123).toString('utf8').replace(/�+$/, '');
  return controlFrame('close', Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), Buffer.from(text)]));
}
