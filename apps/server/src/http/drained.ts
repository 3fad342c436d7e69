import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Resolves once the stream takes more, or never will again; leaves no listener behind. */
export async function drained(stream: Writable): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } finally {
    ended.abort();
  }
}
