import type { Writable } from 'node:stream';

/** Resolves once the stream takes more, or never will again, for whatever reason; leaves no listener behind. */
export async function drained(stream: Writable): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stream.off('drain', go).off('close', go);
      resolve();
    };
    stream.on('drain', go).on('close', go);
  });
}
