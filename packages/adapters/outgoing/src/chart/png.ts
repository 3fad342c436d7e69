import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';

const magic = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** RGB pixels, 3 bytes each, rows from the top, as a PNG (ISO/IEC 15948): 8 bits, no interlacing. Packed on another thread. */
export async function encodePng(width: number, height: number, pixels: Uint8Array): Promise<Buffer> {
  const stride = width * 3;
  const raw = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = y * (stride + 1);
    // Filter 2 (up): a picture of lines and even areas is mostly equal to the row above.
    raw[row] = 2;
    for (let i = 0; i < stride; i++) {
      const above = y === 0 ? 0 : pixels[(y - 1) * stride + i]!;
      raw[row + 1 + i] = (pixels[y * stride + i]! - above) & 0xff;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  head[9] = 2;
  return Buffer.concat([
    magic,
    chunk('IHDR', head),
    chunk('IDAT', await promisify(deflate)(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
