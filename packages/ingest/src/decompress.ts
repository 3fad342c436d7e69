/**
 * Bodies as senders compress them, with caps on what they may grow to. zlib stops at `maxOutputLength` itself, so a
 * bomb costs no more than the cap; the ratio cap keeps small bodies from asking for the whole of it. Off the thread:
 * 64 MiB take longer to inflate than a live chart may wait. No brotli: nothing that sends metrics uses it.
 */
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { appError, limits } from '@nowcast/contract';
import type { IngestRequest } from '@nowcast/ports';

const decompressors = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  zstd: promisify(zstdDecompress),
};
const rawInflate = promisify(inflateRaw);
/** Bodies this small may use the whole ratio of a larger one: headers weigh more than their content. */
const ratioFloorBytes = 64 * 1024;

/** The plain body. Throws `request.too_large` beyond the caps, `request.invalid` for damaged data. */
export async function decompress(
  body: Uint8Array,
  encoding: IngestRequest['encoding'],
  maxBytes: number,
): Promise<Uint8Array> {
  if (encoding === 'identity') return body;
  const ratioCap = Math.max(body.length * limits.decompressionRatio, ratioFloorBytes);
  const maxOutputLength = Math.min(maxBytes, ratioCap);
  try {
    const run = encoding === 'deflate' && !hasZlibHeader(body) ? rawInflate : decompressors[encoding];
    return await run(body, { maxOutputLength });
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

/** RFC 1950: deflate with a window of at most 32 KiB, header divisible by 31. Some senders leave the header out. */
function hasZlibHeader(body: Uint8Array): boolean {
  const [first = 0, second = 0] = body;
  return (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
}
