/**
 * A stable 64-bit hash of text for distinct counting: the first 64 bits of MurmurHash3 x86_128 (Appleby, public
 * domain), seed 0, over the UTF-16LE bytes of the string. 32-bit arithmetic only, because BigInt costs some 50 times
 * more. A constant of the contract: HyperLogLog registers made with it are stored.
 */
const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function fmix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** MurmurHash3_x86_128 of the first `length` bytes into `out` (four words). Bytes up to the next 16 are overwritten. */
export function murmur3(bytes: Uint8Array, length: number, seed: number, out: Uint32Array): void {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  const blocks = length >>> 4;
  for (let i = 0; i < blocks; i += 1) {
    const at = i << 4;
    h1 ^= Math.imul(rotl(Math.imul(word(bytes, at), c1), 15), c2);
    h1 = (Math.imul((rotl(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotl(Math.imul(word(bytes, at + 4), c2), 16), c3);
    h2 = (Math.imul((rotl(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotl(Math.imul(word(bytes, at + 8), c3), 17), c4);
    h3 = (Math.imul((rotl(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotl(Math.imul(word(bytes, at + 12), c4), 18), c1);
    h4 = (Math.imul((rotl(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  const at = blocks << 4;
  if (length > at) {
    bytes.fill(0, length, at + 16);
    h4 ^= Math.imul(rotl(Math.imul(word(bytes, at + 12), c4), 18), c1);
    h3 ^= Math.imul(rotl(Math.imul(word(bytes, at + 8), c3), 17), c4);
    h2 ^= Math.imul(rotl(Math.imul(word(bytes, at + 4), c2), 16), c3);
    h1 ^= Math.imul(rotl(Math.imul(word(bytes, at), c1), 15), c2);
  }
  finish(h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length, out);
}

function finish(a: number, b: number, c: number, d: number, out: Uint32Array): void {
  const sum = (a + b + c + d) | 0;
  const h1 = fmix(sum);
  const h2 = fmix((b + sum) | 0);
  const h3 = fmix((c + sum) | 0);
  const h4 = fmix((d + sum) | 0);
  const mixed = (h1 + h2 + h3 + h4) | 0;
  out[0] = mixed;
  out[1] = h2 + mixed;
  out[2] = h3 + mixed;
  out[3] = h4 + mixed;
}

let scratch = new Uint8Array(1024);
const words = new Uint32Array(4);

/** Hash of the text: the two returned words stay valid until the next call. */
export function hashText(text: string): Uint32Array {
  const length = text.length * 2;
  if (length + 16 > scratch.length) scratch = new Uint8Array(length * 2);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    scratch[2 * i] = unit & 0xff;
    scratch[2 * i + 1] = unit >>> 8;
  }
  murmur3(scratch, length, 0, words);
  return words;
}
