import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * One small file that is replaced whole (write, fsync, rename, fsync of the folder): after a crash it is either the old
 * or the new one, and damage is noticed.
 *
 * Layout: magic, length of the JSON head, JSON head, bytes, CRC-32 of everything before it.
 */
export async function writeSealedFile(
  path: string,
  magic: number,
  head: unknown,
  content: Uint8Array,
): Promise<void> {
  const text = Buffer.from(JSON.stringify(head));
  const bytes = Buffer.alloc(12 + text.length + content.length);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(text.length, 4);
  text.copy(bytes, 8);
  bytes.set(content, 8 + text.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Undefined when there is no such file; `'damaged'` when it is not what was written. */
export async function readSealedFile(
  path: string,
  magic: number,
): Promise<{ head: unknown; content: Uint8Array } | 'damaged' | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const end = bytes.length - 4;
  const intact =
    bytes.length >= 12 &&
    bytes.readUInt32LE(0) === magic &&
    crc32(bytes.subarray(0, end)) === bytes.readUInt32LE(end);
  if (!intact) return 'damaged';
  const headLength = bytes.readUInt32LE(4);
  const head = JSON.parse(bytes.toString('utf8', 8, 8 + headLength)) as unknown;
  return { head, content: new Uint8Array(bytes.subarray(8 + headLength, end)) };
}
