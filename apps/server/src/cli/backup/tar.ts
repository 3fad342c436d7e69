/**
 * The little of the tar format (POSIX ustar, with GNU's binary sizes for files of 8 GiB and more) that a backup needs:
 * files in folders, one after the other. A backup can be looked into with any tar.
 *
 *     0 name 100 │ 100 mode 8 │ 108 uid 8 │ 116 gid 8 │ 124 size 12 │ 136 mtime 12 │ 148 sum 8 │ 156 type 1 │ 257 "ustar"
 */
export const tarBlockBytes = 512;
const maxNameBytes = 100;
const largestOctalSize = 8 ** 11 - 1;

export interface TarEntry {
  name: string;
  size: number;
}

export function tarHeader({ name, size }: TarEntry, mtimeMs: number): Buffer {
  const header = Buffer.alloc(tarBlockBytes);
  if (Buffer.byteLength(name) > maxNameBytes)
    throw new Error(`the name ${name} is too long for a tar header`);
  header.write(name, 0);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  if (size <= largestOctalSize) header.write(`${octal(size, 11)}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(`${octal(Math.floor(mtimeMs / 1000), 11)}\0`, 136);
  header.write('0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${octal(sumOf(header), 6)}\0 `, 148);
  return header;
}

/** The entry a header announces; `end` for the zeros at the end of an archive, `damaged` for anything else. */
export function readTarHeader(header: Buffer): TarEntry | 'end' | 'damaged' {
  if (header.every((byte) => byte === 0)) return 'end';
  const sum = Number.parseInt(header.toString('latin1', 148, 154), 8);
  if (sum !== sumOf(header)) return 'damaged';
  const name = header.toString('utf8', 0, maxNameBytes).replace(/\0.*$/s, '');
  const isBinary = (header[124]! & 0x80) !== 0;
  const size = isBinary
    ? Number(header.readBigUInt64BE(128))
    : Number.parseInt(header.toString('latin1', 124, 135), 8);
  return Number.isSafeInteger(size) && size >= 0 && name !== '' ? { name, size } : 'damaged';
}

/** Zeros between the end of a file and the next header. */
export function tarPadding(size: number): number {
  return (tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes;
}

/** Sum of all bytes, its own field counted as spaces. */
function sumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const [i, byte] of header.entries()) if (i < 148 || i >= 156) sum += byte;
  return sum;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
