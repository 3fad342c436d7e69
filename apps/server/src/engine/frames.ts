import type { ViewFrame } from '@nowcast/ports';
import type { FrameHead } from './messages.ts';

/** Packs frames into one buffer that can be transferred. */
export function packFrames(frames: readonly ViewFrame[]): {
  heads: FrameHead[];
  bodies: Uint8Array<ArrayBuffer>;
} {
  let length = 0;
  for (const frame of frames) length += frame.body.length;
  const bodies = new Uint8Array(length);
  let end = 0;
  const heads = frames.map(({ body, ...head }) => {
    bodies.set(body, end);
    end += body.length;
    return { ...head, end };
  });
  return { heads, bodies };
}

export function unpackFrames(heads: readonly FrameHead[], bodies: Uint8Array): ViewFrame[] {
  let start = 0;
  return heads.map(({ end, ...head }) => {
    const body = bodies.subarray(start, end);
    start = end;
    return { ...head, body };
  });
}
