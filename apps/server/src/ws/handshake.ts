import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { appError, binaryProtocol, jsonProtocol } from '@nowcast/contract';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export type LiveProtocol = typeof binaryProtocol | typeof jsonProtocol;

/** Reads an upgrade request (RFC 6455, 4.2.1). Throws `request.invalid`. */
export function readHandshake(headers: IncomingHttpHeaders): { key: string; protocol: LiveProtocol } {
  const key = headers['sec-websocket-key'];
  if (headers.upgrade?.toLowerCase() !== 'websocket' || headers['sec-websocket-version'] !== '13') {
    throw appError('request.invalid', 'only WebSocket version 13 is spoken here');
  }
  if (key === undefined || Buffer.from(key, 'base64').length !== 16) {
    throw appError('request.invalid', 'Sec-WebSocket-Key must be 16 random bytes in base64');
  }
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  const protocol = offered?.find((name) => name === binaryProtocol || name === jsonProtocol);
  if (protocol === undefined) {
    throw appError('request.invalid', `offer the subprotocol ${binaryProtocol} or ${jsonProtocol}`);
  }
  return { key, protocol };
}

/** The answer that turns the connection into a WebSocket. Compression is not offered: it costs more than it saves. */
export function switchingProtocols(handshake: { key: string; protocol: string }): string {
  const accept = createHash('sha1')
    .update(handshake.key + magic)
    .digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${handshake.protocol}`,
    '\r\n',
  ].join('\r\n');
}
