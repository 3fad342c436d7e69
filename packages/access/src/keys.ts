import { type Actor, type ApiKey, appError, type CreateKeyInput } from '@nowcast/contract';
import { type Clock, randomId } from '@nowcast/kernel';
import type { KeyListRow, MetaStore, RevocationBus } from '@nowcast/ports';
import { can, revokes } from './can.ts';
import { newToken, sameDigest, sha256 } from './tokens.ts';
import { TouchBatch } from './touch-batch.ts';
import { VerifyCache } from './verify-cache.ts';

export type KeyActor = Extract<Actor, { kind: 'key' }>;

/** What a valid key stands for. */
export interface VerifiedKey {
  actor: KeyActor;
  /** Epoch ms; undefined: it does not end by itself. */
  expires_at: number | undefined;
}

const maxKeysPerTenant = 1000;
const cachedKeys = 20_000;
/** `nk_`, the public id, `_`, the secret. The fixed prefix lets secret scanners find leaked keys. */
const keyPattern = /^nk_([0-9a-z]{20})_([A-Za-z0-9_-]{43})$/;

function keyOf(row: KeyListRow): ApiKey {
  return {
    key_id: row.keyId,
    name: row.name,
    prefix: `nk_${row.keyId}`,
    scopes: row.scopes,
    created_at: row.createdAt,
    created_by: row.createdBy,
    created_by_name: row.createdByName,
    last_used_at: row.lastUsedAt ?? null,
    expires_at: row.expiresAt ?? null,
  };
}

/** API keys: what programs send points and read data with. */
export class KeyService {
  readonly #store: MetaStore;
  readonly #clock: Clock;
  readonly #bus: RevocationBus;
  readonly #cache: VerifyCache<VerifiedKey>;
  readonly #touches: TouchBatch;

  constructor(options: { store: MetaStore; clock: Clock; bus: RevocationBus }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#bus = options.bus;
    this.#touches = new TouchBatch(options.clock, (batch) => this.#store.keys.touch(batch));
    this.#cache = new VerifyCache({
      clock: options.clock,
      bus: options.bus,
      capacity: cachedKeys,
      load: (keyText) => this.#load(keyText),
      isRevokedBy: ({ actor }, revocation) => revokes(revocation, actor),
    });
  }

  async stop(): Promise<void> {
    this.#cache.stop();
    await this.#touches.stop();
  }

  /** Look-ups that went to the store. */
  get reads(): number {
    return this.#cache.reads;
  }

  /** The answer is the only place where the secret ever appears. */
  async create(actor: Actor, input: CreateKeyInput): Promise<ApiKey> {
    if (!can(actor, 'key.manage'))
      throw appError('auth.forbidden', 'Creating API keys takes an administrator');
    const now = this.#clock.now();
    if (input.expires_at !== undefined && !(input.expires_at > now))
      throw appError(
        'request.invalid',
        'expires_at lies in the past; leave it out for a key that does not expire',
      );
    const secret = newToken();
    const maker =
      actor.kind === 'user' ? await this.#store.members.get(actor.tenant_id, actor.user_id) : undefined;
    const key: KeyListRow = {
      keyId: randomId('').slice(1),
      tenantId: actor.tenant_id,
      name: input.name,
      secretHash: sha256(secret),
      scopes: [...new Set(input.scopes)],
      createdAt: now,
      createdBy: actor.kind === 'user' ? actor.user_id : '',
      createdByName: maker?.user.name ?? '',
      lastUsedAt: undefined,
      // Seconds times a thousand, as many languages have them, have fractions; the store takes none.
      expiresAt: input.expires_at === undefined ? undefined : Math.floor(input.expires_at),
    };
    if (!(await this.#store.keys.create(actor.tenant_id, key, maxKeysPerTenant)))
      throw appError(
        'request.conflict',
        `An organisation has at most ${maxKeysPerTenant} keys; delete unused ones`,
      );
    return { ...keyOf(key), secret: `nk_${key.keyId}_${secret}` };
  }

  async list(actor: Actor): Promise<ApiKey[]> {
    if (!can(actor, 'key.read')) throw appError('auth.forbidden', 'Your role does not see API keys');
    return (await this.#store.keys.list(actor.tenant_id)).map(keyOf);
  }

  async delete(actor: Actor, keyId: string): Promise<void> {
    if (!can(actor, 'key.manage'))
      throw appError('auth.forbidden', 'Deleting API keys takes an administrator');
    if (!(await this.#store.keys.delete(actor.tenant_id, keyId)))
      throw appError('request.not_found', 'There is no such API key');
    this.#bus.publish({ kind: 'key', id: keyId, tenant: actor.tenant_id });
  }

  /**
   * Undefined when the text is no valid key. A key that is in use costs a hash and a map look-up; the store is read
   * once every few seconds a key, however many requests come.
   */
  async verify(keyText: string): Promise<VerifiedKey | undefined> {
    const cacheKey = cacheKeyOf(keyText);
    const cached = cacheKey && (await this.#cache.get(cacheKey));
    const now = this.#clock.now();
    if (!cached || (cached.expires_at !== undefined && now >= cached.expires_at)) return undefined;
    this.#touches.add(cached.actor.key_id, now);
    return cached;
  }

  async #load(cacheKey: string): Promise<VerifiedKey | undefined> {
    const [keyId = '', secretHash = ''] = cacheKey.split(' ');
    const row = await this.#store.keys.find(keyId);
    if (row === undefined || !sameDigest(row.secretHash, secretHash)) return undefined;
    return {
      actor: { kind: 'key', tenant_id: row.tenantId, key_id: row.keyId, scopes: row.scopes },
      expires_at: row.expiresAt,
    };
  }
}

/** Whether a text has the form of a key, which no session token has. */
export function isKeyText(text: string): boolean {
  return keyPattern.test(text);
}

/** Public id and hash of the secret: no usable secret lies in memory longer than its request. */
function cacheKeyOf(keyText: string): string | undefined {
  const [, keyId, secret] = keyPattern.exec(keyText) ?? [];
  return keyId === undefined || secret === undefined ? undefined : `${keyId} ${sha256(secret)}`;
}
