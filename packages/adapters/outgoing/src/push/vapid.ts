import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { appError } from '@nowcast/contract';

/**
 * Voluntary identification towards push services (VAPID, RFC 8292): a token signed with our key, for the origin of
 * the service. Browsers subscribe with the public key, so a new pair makes every subscription worthless: it is made
 * once, at the first start, and kept.
 */
export interface VapidKeys {
  /** Uncompressed point of P-256, 65 bytes, base64url: what `pushManager.subscribe` takes. */
  publicKey: string;
  /** 32 bytes, base64url. A secret. */
  privateKey: string;
}

export function createVapidKeys(): VapidKeys {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const point = [Buffer.of(4), Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')];
  return { publicKey: Buffer.concat(point).toString('base64url'), privateKey: jwk.d ?? '' };
}

/**
 * Whom push services may write to: what the operator says, else the sender of mail, else the public address when it
 * is one a browser company could open. A name of this machine alone is refused by Apple's service, hence the last.
 */
export function pushSubject(known: {
  contact: string | undefined;
  mailFrom: string | undefined;
  publicUrl: string | undefined;
}): string {
  if (known.contact !== undefined) return known.contact;
  if (known.mailFrom !== undefined) return `mailto:${known.mailFrom}`;
  return known.publicUrl?.startsWith('https://') === true ? known.publicUrl : 'mailto:nobody@example.com';
}

/** Services accept tokens for at most 24 hours (RFC 8292, 2); half of it leaves room for clocks that are wrong. */
const tokenSeconds = 12 * 3600;

export class Vapid {
  readonly publicKey: string;
  readonly #key: KeyObject;
  readonly #subject: string;

  /** `subject`: `mailto:` or `https:` address of whoever runs this server. Throws `request.invalid`. */
  constructor(keys: VapidKeys, subject: string) {
    if (!/^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/.test(subject)) {
      throw appError(
        'request.invalid',
        `"${subject}" is no contact for push services; write mailto:ops@example.com`,
      );
    }
    const point = Buffer.from(keys.publicKey, 'base64url');
    try {
      this.#key = createPrivateKey({
        format: 'jwk',
        key: {
          kty: 'EC',
          crv: 'P-256',
          x: point.subarray(1, 33).toString('base64url'),
          y: point.subarray(33).toString('base64url'),
          d: keys.privateKey,
        },
      });
    } catch (error) {
      throw appError('request.invalid', 'the stored keys for push messages are damaged', { cause: error });
    }
    this.publicKey = keys.publicKey;
    this.#subject = subject;
  }

  /** The `Authorization` header for a push service. */
  authorization(endpoint: URL, nowMs: number): string {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = encode({ typ: 'JWT', alg: 'ES256' });
    const exp = Math.floor(nowMs / 1000) + tokenSeconds;
    const claims = encode({ aud: endpoint.origin, exp, sub: this.#subject });
    const signed = sign('sha256', Buffer.from(`${head}.${claims}`), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    });
    return `vapid t=${head}.${claims}.${signed.toString('base64url')}, k=${this.publicKey}`;
  }
}
