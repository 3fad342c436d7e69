import { strict as assert } from 'node:assert';
import type { webcrypto } from 'node:crypto';
import type { Received } from './receiver.ts';

/**
 * The browser's side of Web Push, written from RFC 8291 and RFC 8188 with WebCrypto alone, so that it shares nothing
 * with the code under test.
 */
export class PushBrowser {
  readonly p256dh: string;
  readonly auth: string;
  readonly #publicKey: Uint8Array<ArrayBuffer>;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #auth: Uint8Array<ArrayBuffer>;

  private constructor(keys: webcrypto.CryptoKeyPair, publicKey: ArrayBuffer) {
    this.#keys = keys;
    this.#publicKey = new Uint8Array(publicKey);
    this.#auth = crypto.getRandomValues(new Uint8Array(16));
    this.p256dh = Buffer.from(publicKey).toString('base64url');
    this.auth = Buffer.from(this.#auth).toString('base64url');
  }

  static async create(): Promise<PushBrowser> {
    const keys = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    return new PushBrowser(keys, await crypto.subtle.exportKey('raw', keys.publicKey));
  }

  async decrypt(body: Uint8Array): Promise<Buffer> {
    const bytes = Uint8Array.from(body);
    const salt = bytes.slice(0, 16);
    const recordSize = new DataView(bytes.buffer).getUint32(16);
    const idLength = bytes[20]!;
    const sender = bytes.slice(21, 21 + idLength);
    const sealed = bytes.slice(21 + idLength);
    assert(sealed.length <= recordSize, 'one record');
    const senderKey = await crypto.subtle.importKey(
      'raw',
      sender,
      { name: 'ECDH', namedCurve: 'P-256' },
      false,
      [],
    );
    const shared = await crypto.subtle.deriveBits(
      { name: 'ECDH', public: senderKey },
      this.#keys.privateKey,
      256,
    );
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#publicKey, sender]);
    const input = await expand(shared, this.#auth, info, 256);
    const key = await expand(input, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 128);
    const nonce = await expand(input, salt, Buffer.from('Content-Encoding: nonce\0'), 96);
    const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
    const plain = Buffer.from(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce }, aes, sealed));
    const end = plain.lastIndexOf(2);
    assert(end >= 0 && plain.subarray(end + 1).every((byte) => byte === 0), 'delimiter and padding');
    return plain.subarray(0, end);
  }
}

async function expand(
  input: ArrayBuffer,
  salt: Uint8Array<ArrayBuffer>,
  info: Uint8Array,
  bits: number,
): Promise<ArrayBuffer> {
  const key = await crypto.subtle.importKey('raw', input, 'HKDF', false, ['deriveBits']);
  return crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt, info: Uint8Array.from(info) },
    key,
    bits,
  );
}

/** The claims of a request's VAPID token (RFC 8292), once its signature has been checked with the key it names. */
export async function vapidClaims(request: Received): Promise<Record<string, unknown> & { key: string }> {
  const match = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(
    request.headers.authorization ?? '',
  );
  assert(match !== null, 'a vapid header');
  const [, head = '', claims = '', signature = '', key = ''] = match;
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { typ: 'JWT', alg: 'ES256' });
  const point = Uint8Array.from(Buffer.from(key, 'base64url'));
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const verifier = await crypto.subtle.importKey('raw', point, algorithm, false, ['verify']);
  const valid = await crypto.subtle.verify(
    algorithm,
    verifier,
    Uint8Array.from(Buffer.from(signature, 'base64url')),
    Buffer.from(`${head}.${claims}`),
  );
  assert(valid, 'a valid signature');
  return { ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>), key };
}
