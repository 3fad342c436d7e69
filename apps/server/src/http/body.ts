import type { IncomingMessage } from 'node:http';
import { appError } from '@nowcast/contract';
import type { BodyPool } from './body-pool.ts';

/**
 * Reading request bodies under a cap (C14). The cap holds before anybody is authenticated and before anything is
 * parsed: a declared length above it is refused at once, an undeclared one is counted as it arrives, and what lies
 * beyond is never stored.
 */
export function refuseDeclaredLength(request: IncomingMessage, capBytes: number): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > capBytes) throw tooLarge(capBytes);
}

/**
 * The whole body, at most `capBytes`, in memory of the pool. Rejects `request.too_large`, or `request.cancelled` when
 * the peer goes.
 */
export function readBody(
  request: IncomingMessage,
  capBytes: number,
  pool: BodyPool,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers['content-length'];
  const known = declared === undefined ? 0 : Math.min(Number(declared), capBytes);
  let bytes = pool.take(known);
  let length = 0;
  return consume(request, capBytes, (chunk) => {
    if (length + chunk.length > bytes.length) bytes = grown(bytes, length + chunk.length, capBytes);
    bytes.set(chunk, length);
    length += chunk.length;
    release(chunk);
  }).then(() => bytes.subarray(0, length));
}

/**
 * Frees memory that nobody will read again, where it is the chunk's own. V8 would let 64 MB of it gather and then
 * collect the whole heap, which at full load it does three times a second.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
}

/** Reads and forgets the body, so that its sender can hear an answer. Rejects like `readBody`. */
export function discardBody(request: IncomingMessage, capBytes: number): Promise<void> {
  return consume(request, capBytes, () => undefined);
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function consume(
  request: IncomingMessage,
  capBytes: number,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let length = 0;
    const stop = (error: Error): void => {
      request.off('data', onData);
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (length > capBytes) stop(tooLarge(capBytes));
      else take(chunk);
    };
    request.on('data', onData);
    request.once('end', resolve);
    request.once('error', (cause) =>
      stop(appError('request.cancelled', 'the connection was lost', { cause })),
    );
    request.once('close', () => {
      // It also comes behind every end.
      if (!request.readableEnded) stop(appError('request.cancelled', 'the connection was closed'));
    });
  });
}

function grown(bytes: Uint8Array, least: number, most: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(most, Math.max(least, bytes.length * 2, 16 * 1024)));
  larger.set(bytes);
  return larger;
}

function tooLarge(capBytes: number): Error {
  return appError(
    'request.too_large',
    capBytes === 0
      ? 'this address takes no request body; send none'
      : `the body may have ${capBytes} bytes at most here; send it in smaller parts`,
  );
}
