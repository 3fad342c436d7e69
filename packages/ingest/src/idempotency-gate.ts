/**
 * One run for one `Idempotency-Key`. The first request with a key runs; one that comes meanwhile waits for it; one
 * that comes later gets the stored answer, or `ingest.key_reused` when it is not the same request. The answer goes to
 * the log in the very record of its points: both survive or neither.
 */
import { createHash } from 'node:crypto';
import { type PointsRecord, appError, limits } from '@nowcast/contract';
import type { IngestAnswer, IngestRequest } from '@nowcast/ports';
import type { DedupeState } from './dedupe-state.ts';

/** A key that is this request's to use. */
export interface IdempotencyClaim {
  /** The partition that remembers the key, always the same one. */
  partition: number;
  entry(answer: IngestAnswer): NonNullable<PointsRecord['idempotency']>;
}

export class IdempotencyGate {
  readonly #state: DedupeState;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(state: DedupeState) {
    this.#state = state;
  }

  /** Runs `take` unless the key says that it has run. Rejects with `request.invalid` for a key that is too long. */
  async run(
    request: IngestRequest,
    body: Uint8Array,
    take: (claim: IdempotencyClaim | undefined) => Promise<IngestAnswer>,
    now: () => number,
  ): Promise<IngestAnswer> {
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined) return take(undefined);
    if (idempotencyKey.length === 0 || idempotencyKey.length > limits.idempotencyKeyLength) {
      throw appError(
        'request.invalid',
        `Idempotency-Key takes 1 to ${limits.idempotencyKeyLength} characters`,
      );
    }
    const key = digest(request.tenant, request.keyId, idempotencyKey);
    const bodyHash = digest(request.format, request.precision, body);
    const partition = Buffer.from(key, 'base64url').readUInt32LE(0) % this.#state.partitions;
    for (let first = this.#running.get(key); first !== undefined; first = this.#running.get(key)) await first;
    const stored = this.#state.answerFor(partition, request.tenant, key, now());
    if (stored !== undefined) {
      if (stored.bodyHash !== bodyHash) {
        throw appError(
          'ingest.key_reused',
          'this Idempotency-Key was used for another request; use a new key',
        );
      }
      return { status: stored.status, body: stored.answer };
    }
    const entry = ({ status, body: answer }: IngestAnswer) => ({ key, bodyHash, status, answer });
    const result = take({ partition, entry });
    // Others wait for the end of it, however it ends, and then look again.
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(key, ended);
    try {
      return await result;
    } finally {
      this.#running.delete(key);
    }
  }
}

/** 128 bits of the SHA-256 over the parts, each with its length. */
function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.length}:`);
    hash.update(part);
  }
  return hash.digest().subarray(0, 16).toString('base64url');
}
