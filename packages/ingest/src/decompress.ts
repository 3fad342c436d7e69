/**
 * Bodies as senders compress them, with caps on what they may grow to. zlib stops at `maxOutputLength` itself, so a
 * bomb costs no more than the cap; the ratio cap keeps small bodies from asking for the whole of it. Off the thread:
 * 64 MiB take longer to inflate than a live chart may wait. No brotli: nothing that sends metrics uses it.
 */
import { gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { appError, limits } from '@nowcast/contract';
import type { IngestRequest } from '@nowcast/ports';

/** What zlib's functions do when asked for `info`, which their types do not say. */
type Decompress = (
  body: Uint8Array,
  options: { maxOutputLength: number; info: true },
  done: (error: Error | null, result: { buffer: Uint8Array; engine: { bytesWritten: number } }) => void,
) => void;

const decompressors = {
  gzip: gunzip,
  deflate: inflate,
  raw: inflateRaw,
  zstd: zstdDecompress,
} as unknown as Record<'gzip' | 'deflate' | 'raw' | 'zstd', Decompress>;
/** zlib works on all it is given piece by piece in turn, and what each has so far is memory that nobody counts. */
const mostAtOnce = 2;
/** Bodies this small may use the whole ratio of a larger one: headers weigh more than their content. */
const ratioFloorBytes = 64 * 1024;

export class Decompressor {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** The plain body. Rejects with `request.too_large` beyond the caps, `request.invalid` for damaged data. */
  async decompress(
    body: Uint8Array,
    encoding: IngestRequest['encoding'],
    maxBytes: number,
  ): Promise<Uint8Array> {
    if (encoding === 'identity') return body;
    if (this.#running === mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await plain(body, encoding, maxBytes);
    } finally {
      // Whoever waits takes the place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

async function plain(
  body: Uint8Array,
  encoding: Exclude<IngestRequest['encoding'], 'identity'>,
  maxBytes: number,
): Promise<Uint8Array> {
  const ratioCap = Math.max(body.length * limits.decompressionRatio, ratioFloorBytes);
  const maxOutputLength = Math.min(maxBytes, ratioCap);
  try {
    const kind = encoding === 'deflate' && !hasZlibHeader(body) ? 'raw' : encoding;
    return await whole(decompressors[kind], body, maxOutputLength);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw appError(
        'request.too_large',
        `the body is larger than ${maxOutputLength} bytes when decompressed (at most ${maxBytes}, and ${limits.decompressionRatio} times what is sent); send it in smaller pieces`,
        { cause },
      );
    }
    throw appError('request.invalid', `the body is not ${encoding} data; check Content-Encoding`, { cause });
  }
}

/** Rejects, too, when something follows the data: a frame whose header is damaged must not pass for the end. */
function whole(run: Decompress, body: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    run(body, { maxOutputLength, info: true }, (error, result) => {
      if (error !== null) reject(error);
      else if (result.engine.bytesWritten === body.length) resolve(result.buffer);
      else reject(new RangeError(`${body.length - result.engine.bytesWritten} bytes follow the data`));
    });
  });
}

/** RFC 1950: deflate with a window of at most 32 KiB, header divisible by 31. Some senders leave the header out. */
function hasZlibHeader(body: Uint8Array): boolean {
  const [first = 0, second = 0] = body;
  return (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
}
