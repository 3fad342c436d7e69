import { appError } from '@nowcast/contract';

/** As received: a tenant alone has its half, which is twice what the engine takes in at once. */
const mostBytes = 128 * 1024 * 1024;
/** With the one body that each tenant may always send. */
const hardBytes = 2 * mostBytes;
/** Bodies up to this are not counted: connections are, and senders of a little should not wait for those of much. */
const leastCountedBytes = 16 * 1024;

/**
 * Memory for the bodies of requests that are being read or answered. The engine's own bound is asked when a body is
 * whole; hundreds of senders with a backlog would fill the memory of the main thread before that. A tenant may have as
 * much as it leaves: alone a half, beside one that has a half a quarter. Who has no other body on its way may send one all
 * the same, as it may into the engine.
 */
export class BodyRoom {
  #total = 0;
  readonly #ofTenant = new Map<string, number>();

  /** Room for a body of which so many bytes are known to come. Throws `ingest.busy`. */
  enter(tenant: string, bytes: number): HeldRoom {
    const held = new HeldRoom((by, held) => this.#add(tenant, by, held));
    held.resize(bytes);
    return held;
  }

  #add(tenant: string, by: number, held: number): void {
    const own = this.#ofTenant.get(tenant) ?? 0;
    const most = own === held ? hardBytes - this.#total : mostBytes - this.#total - own;
    if (by > 0 && by > most) throw busy();
    this.#total += by;
    if (own + by === 0) this.#ofTenant.delete(tenant);
    else this.#ofTenant.set(tenant, own + by);
  }
}

/** One request's part of it. */
export class HeldRoom {
  readonly #add: (bytes: number, held: number) => void;
  #bytes = 0;

  /** `add`: so many bytes more or less than were `held` by it. */
  constructor(add: (bytes: number, held: number) => void) {
    this.#add = add;
  }

  /** Its body takes so many bytes now. Throws `ingest.busy` when there is no room for them; it keeps what it has then. */
  resize(bytes: number): void {
    const counted = bytes > leastCountedBytes ? bytes : 0;
    if (counted === this.#bytes) return;
    this.#add(counted - this.#bytes, this.#bytes);
    this.#bytes = counted;
  }

  leave(): void {
    this.resize(0);
  }
}

function busy(): Error {
  return appError('ingest.busy', 'more is arriving than can be taken in; send the same again in a second');
}
