import { type Clock, isAppError, type Unsubscribe } from '@nowcast/kernel';
import type { Revocation, RevocationBus } from '@nowcast/ports';

/**
 * Remembers what a credential stood for, keyed by the hash of the credential, so that a request costs a map look-up
 * and a reconnecting crowd one read a person.
 *
 * The trap is the read that is under way when the right is taken away: it saw the row, the revocation found nothing
 * to drop, and the answer is kept for another few seconds. So the cache listens before it reads, and an answer whose
 * own revocation passed meanwhile is not used: it is read again.
 *
 *   read ───────────── row ──► keep?  no: it was revoked since "read" began → read again
 *            ▲ revoked
 */
export interface VerifyCacheOptions<Value> {
  clock: Clock;
  bus: RevocationBus;
  /** Reads the store. Undefined: the credential is not valid (never remembered: anybody can make such ones up). */
  load(hash: string): Promise<Value | undefined>;
  isRevokedBy(value: Value, revocation: Revocation): boolean;
  capacity: number;
}

/** An answer is used this long without asking the store again: the longest a revocation on a cut bus goes unnoticed. */
const freshMs = 5000;
/** And this long when the store cannot answer (F8). */
const staleMs = 60_000;
const maxReads = 5;

interface Entry<Value> {
  value: Value;
  loadedAt: number;
}

export class VerifyCache<Value> {
  readonly #options: VerifyCacheOptions<Value>;
  /** Oldest load first. */
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #loading = new Map<string, Promise<Value | undefined>>();
  /** For each read under way: the revocations since it began. */
  readonly #passing = new Set<Revocation[]>();
  readonly #unsubscribe: Unsubscribe;
  #reads = 0;

  constructor(options: VerifyCacheOptions<Value>) {
    this.#options = options;
    this.#unsubscribe = options.bus.onRevoked((revocation) => this.#drop(revocation));
  }

  /** What is known without a read, and fresh. */
  peek(hash: string): Value | undefined {
    const entry = this.#entries.get(hash);
    return entry !== undefined && this.#age(entry) <= freshMs ? entry.value : undefined;
  }

  /** Rejects with `server.unavailable` when the store cannot answer and nothing recent is known. */
  async get(hash: string): Promise<Value | undefined> {
    const fresh = this.peek(hash);
    if (fresh !== undefined) return fresh;
    try {
      return await this.#loadOnce(hash);
    } catch (error) {
      const stale = this.#entries.get(hash);
      const usable =
        stale !== undefined &&
        this.#age(stale) <= staleMs &&
        isAppError(error) &&
        error.code === 'server.unavailable';
      if (usable) return stale.value;
      throw error;
    }
  }

  /** Reads of the store so far. */
  get reads(): number {
    return this.#reads;
  }

  forget(hash: string): void {
    this.#entries.delete(hash);
  }

  forgetIf(condition: (value: Value) => boolean): void {
    for (const [hash, { value }] of this.#entries) if (condition(value)) this.#entries.delete(hash);
  }

  stop(): void {
    this.#unsubscribe();
    this.#entries.clear();
  }

  /** Everybody who asks for the same credential meanwhile shares one read. */
  #loadOnce(hash: string): Promise<Value | undefined> {
    const running = this.#loading.get(hash);
    if (running !== undefined) return running;
    const loading = this.#load(hash).finally(() => this.#loading.delete(hash));
    this.#loading.set(hash, loading);
    return loading;
  }

  async #load(hash: string): Promise<Value | undefined> {
    for (let reads = 1; reads <= maxReads; reads += 1) {
      const passed: Revocation[] = [];
      this.#passing.add(passed);
      this.#reads += 1;
      const value = await this.#options.load(hash).finally(() => this.#passing.delete(passed));
      if (value !== undefined && passed.some((revocation) => this.#options.isRevokedBy(value, revocation)))
        continue;
      this.#entries.delete(hash);
      if (value !== undefined) this.#remember(hash, value);
      return value;
    }
    // Revoked again and again while it was read: whatever it is, it is not valid now.
    this.#entries.delete(hash);
    return undefined;
  }

  #remember(hash: string, value: Value): void {
    this.#entries.set(hash, { value, loadedAt: this.#options.clock.monotonic() });
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#options.capacity && !oldest.done) this.#entries.delete(oldest.value);
  }

  #drop(revocation: Revocation): void {
    for (const passed of this.#passing) passed.push(revocation);
    this.forgetIf((value) => this.#options.isRevokedBy(value, revocation));
  }

  #age(entry: Entry<Value>): number {
    return this.#options.clock.monotonic() - entry.loadedAt;
  }
}
