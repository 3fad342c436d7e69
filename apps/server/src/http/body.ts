import type { IncomingMessage } from 'node:http';
import { appError } from '@nowcast/contract';
import type { BodyPool } from './body-pool.ts';
import type { HeldRoom } from './body-room.ts';

/**
 * Reading request bodies under a cap (C14). The cap holds before anybody is authenticated and before anything is
 * parsed: a declared length above it is refused at once, an undeclared one is counted as it arrives, and what lies
 * beyond is never stored.
 */
export function refuseDeclaredLength(request: IncomingMessage, capBytes: number): void {
  if (declaredLength(request) > capBytes) throw tooLarge(capBytes);
}

/** Bytes of the body as the sender says; 0 where it does not. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/**
 * The whole body, at most `capBytes`, in memory of the pool; `room` has been taken for its declared length. Rejects
 * `request.too_large`, `ingest.busy` once a body of no declared length was sent that there is no room for, or
 * `request.cancelled` when the peer goes.
 */
export async function readBody(
  request: IncomingMessage,
  capBytes: number,
  pool: BodyPool,
  room: HeldRoom,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = pool.take(Math.min(declaredLength(request), capBytes));
  let length = 0;
  let refusal: unknown;
  const keep = (chunk: Uint8Array): void => {
    if (length + chunk.length > bytes.length) bytes = grown(bytes, length + chunk.length, capBytes, room);
    bytes.set(chunk, length);
    length += chunk.length;
  };
  await consume(request, capBytes, (chunk) => {
    try {
      if (refusal === undefined) keep(chunk);
    } catch (error) {
      refusal = error;
      bytes = nothing;
      room.leave();
    }
    release(chunk);
  });
  if (refusal !== undefined) throw refusal;
  return bytes.subarray(0, length);
}

const nothing = new Uint8Array(0);

/**
 * Frees memory that nobody will read again, where it is the chunk's own. V8 would let 64 MB of it gather and then
 * collect the whole heap, which at full load it does three times a second.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
}

/** Reads and forgets the body, so that its sender can hear an answer. Rejects like `readBody`. */
export function discardBody(request: IncomingMessage, capBytes: number): Promise<void> {
  return consume(request, capBytes, release);
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

/** Throws `ingest.busy`. */
function grown(bytes: Uint8Array, least: number, most: number, room: HeldRoom): Uint8Array<ArrayBuffer> {
  const size = Math.min(most, Math.max(least, bytes.length * 2, 16 * 1024));
  room.resize(size);
  const larger = new Uint8Array(size);
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
