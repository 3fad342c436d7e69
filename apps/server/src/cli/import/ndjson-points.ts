import type { NumberedLine } from './lines.ts';

const receipt = Buffer.from('"received_at"');

/**
 * Exported points carry when they were received; an import is received now, and the server refuses members that are
 * not its own. Lines without it pass as they are, whatever they hold: what is wrong with them is the server's to say.
 */
export async function* withoutReceipt(lines: AsyncIterable<NumberedLine>): AsyncGenerator<NumberedLine> {
  for await (const { line, bytes } of lines) yield { line, bytes: strip(bytes) };
}

function strip(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!text.includes(receipt)) return bytes;
  try {
    const point = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
    if (typeof point !== 'object' || !Object.hasOwn(point, 'received_at')) return bytes;
    return Buffer.from(JSON.stringify({ ...point, received_at: undefined }));
  } catch {
    return bytes;
  }
}
