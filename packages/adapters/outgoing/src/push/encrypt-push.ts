import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { appError } from '@nowcast/contract';

/** Chance, replaceable so that the example of RFC 8291, 5, can be computed. */
export interface PushChance {
  /** 16 bytes. */
  salt: Buffer;
  /** Private key of P-256, 32 bytes; undefined: a new one. */
  senderKey: Buffer | undefined;
}

/** Push services take bodies up to 4,096 bytes (RFC 8030, 7.2): one record holds any message. */
const recordSize = 4096;

/**
 * The body of a push message: `aes128gcm` (RFC 8188) with a key that only the browser of the subscription can derive
 * (RFC 8291). `p256dh` and `auth` as the browser gave them, base64url. Throws `outgoing.refused` for keys that are none.
 */
export function encryptPush(
  plain: Buffer,
  subscription: { p256dh: string; auth: string },
  chance: PushChance = { salt: randomBytes(16), senderKey: undefined },
): Buffer {
  const receiver = Buffer.from(subscription.p256dh, 'base64url');
  const auth = Buffer.from(subscription.auth, 'base64url');
  const ecdh = createECDH('prime256v1');
  if (chance.senderKey === undefined) ecdh.generateKeys();
  else ecdh.setPrivateKey(chance.senderKey);
  const sender = ecdh.getPublicKey();
  const shared = sharedSecret(ecdh, receiver, auth);
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), receiver, sender]);
  const input = Buffer.from(hkdfSync('sha256', shared, auth, keyInfo, 32));
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', input, chance.salt, `Content-Encoding: ${purpose}\0`, bytes));
  const cipher = createCipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
  // 2 ends the last record; no padding follows.
  const sealed = [cipher.update(Buffer.concat([plain, Buffer.of(2)])), cipher.final(), cipher.getAuthTag()];
  const head = Buffer.alloc(21);
  chance.salt.copy(head);
  head.writeUInt32BE(recordSize, 16);
  head[20] = sender.length;
  return Buffer.concat([head, sender, ...sealed]);
}

function sharedSecret(ecdh: ReturnType<typeof createECDH>, receiver: Buffer, auth: Buffer): Buffer {
  try {
    if (auth.length === 16 && receiver.length === 65) return ecdh.computeSecret(receiver);
  } catch {
    // Not a point of the curve: said below like every other key that is none.
  }
  throw appError('outgoing.refused', 'the keys of this device are damaged; subscribe it again');
}
