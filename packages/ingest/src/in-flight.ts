import { appError } from '@nowcast/contract';

/** What one tenant, or all, have on their way. */
interface Load {
  bytes: number;
  points: number;
}

export interface InFlightLimits {
  bytes: number;
  points: number;
}

/**
 * Bodies and points on their way into the log, within limits. A tenant may have as much as is left free: alone a half,
 * beside one that has a half a quarter, so that whoever sends too much is told to wait and whoever comes new is not.
 * Who has nothing on its way may always send one body that fits.
 */
export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #total: Load = { bytes: 0, points: 0 };
  readonly #ofTenant = new Map<string, Load>();

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  get total(): Readonly<Load> {
    return this.#total;
  }

  /** Takes a body in. Throws `ingest.busy`. */
  enter(tenant: string, bytes: number): Passage {
    const own = this.#ofTenant.get(tenant) ?? { bytes: 0, points: 0 };
    this.#admit(own, this.#total, bytes);
    this.#ofTenant.set(tenant, own);
    const loads = [own, this.#total];
    const add = (kind: keyof Load, by: number) => {
      for (const load of loads) load[kind] += by;
    };
    add('bytes', bytes);
    return new Passage(bytes, {
      add,
      admit: (held, wanted) => this.#admit(without(own, held), without(this.#total, held), wanted),
      leave: () => {
        if (own.bytes === 0 && own.points === 0) this.#ofTenant.delete(tenant);
      },
    });
  }

  #admit(own: Load, total: Load, bytes: number): void {
    const { bytes: mostBytes, points: mostPoints } = this.#limits;
    const isFull = total.bytes > 0 && (total.bytes + bytes > mostBytes || total.points >= mostPoints);
    const isUnfair =
      (own.bytes > 0 && own.bytes + bytes > mostBytes - total.bytes) ||
      (own.points > 0 && own.points >= mostPoints - total.points);
    if (!isFull && !isUnfair) return;
    throw appError(
      'ingest.busy',
      'more points are arriving than can be stored; send the same again in a second',
    );
  }
}

interface Account {
  add: (kind: keyof Load, by: number) => void;
  /** Throws `ingest.busy` when what was `held` may not become `wanted` bytes. */
  admit: (held: number, wanted: number) => void;
  leave: () => void;
}

/** One request's part of what is in flight. */
export class Passage {
  readonly #account: Account;
  #bytes: number;

  constructor(bytes: number, account: Account) {
    this.#account = account;
    this.#bytes = bytes;
  }

  /** Its body was decompressed. Throws `ingest.busy` when there is no room for that. */
  resize(bytes: number): void {
    if (bytes > this.#bytes) this.#account.admit(this.#bytes, bytes);
    this.#account.add('bytes', bytes - this.#bytes);
    this.#bytes = bytes;
  }

  /** Points begin their way, or, negative, end it. */
  addPoints(points: number): void {
    this.#account.add('points', points);
  }

  leave(): void {
    this.#account.add('bytes', -this.#bytes);
    this.#bytes = 0;
    this.#account.leave();
  }
}

function without({ bytes, points }: Load, held: number): Load {
  return { bytes: bytes - held, points };
}
