import { strict as assert } from 'node:assert';
import { crc32, inflateSync } from 'node:zlib';

export interface Picture {
  width: number;
  height: number;
  /** rrggbb. */
  at: (x: number, y: number) => string;
}

/**
 * A PNG as mail readers see it: 8-bit RGB without interlacing, filters none and up, every checksum right. Written from
 * the specification, so that it shares nothing with what it checks.
 */
export function readPng(png: Buffer): Picture {
  assert.equal(png.toString('hex', 0, 8), '89504e470d0a1a0a', 'the signature');
  const chunks = chunksOf(png);
  assert.deepEqual([chunks[0]?.type, chunks.at(-1)?.type], ['IHDR', 'IEND']);
  const head = chunks[0]!.data;
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  assert.deepEqual([...head.subarray(8)], [8, 2, 0, 0, 0], '8 bits, RGB, no interlacing');
  const packed = chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  const pixels = unfiltered(inflateSync(Buffer.concat(packed)), width * 3, height);
  return {
    width,
    height,
    at: (x, y) => pixels.toString('hex', (y * width + x) * 3, (y * width + x) * 3 + 3),
  };
}

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at);
    assert.equal(png.readUInt32BE(end), crc32(png.subarray(at + 4, end)), 'a checksum');
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, end) });
    at = end + 4;
  }
  return chunks;
}

function unfiltered(raw: Buffer, stride: number, height: number): Buffer {
  assert.equal(raw.length, (stride + 1) * height);
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    assert(filter === 0 || filter === 2, 'filter none or up');
    for (let i = 0; i < stride; i++) {
      const above = filter === 0 || y === 0 ? 0 : pixels[(y - 1) * stride + i]!;
      pixels[y * stride + i] = raw[y * (stride + 1) + 1 + i]! + above;
    }
  }
  return pixels;
}

/** Where a colour is. */
export function pixelsOf(picture: Picture, color: string): { x: number; y: number }[] {
  const found: { x: number; y: number }[] = [];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) if (picture.at(x, y) === color) found.push({ x, y });
  }
  return found;
}
