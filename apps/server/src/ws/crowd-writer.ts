import type { DirectSend } from '@nowcast/ports';
import type { Connection } from './connection.ts';

/**
 * Sends few buffers directly to many members of a cohort. They are collected and sent to in one go by `flush`, in the turn
 * in which they were collected: nothing may happen to a connection in between. What a socket does not take goes through
 * its stream.
 */
export class CrowdWriter {
  readonly #direct: DirectSend | undefined;
  readonly #most: number;
  /** Kept to be filled again; the first `#open` have something to send. */
  readonly #batches: Batch[] = [];
  readonly #taken: Int32Array;
  #members: readonly Connection[] = [];
  #open = 0;

  /** `most` members are collected at a time. */
  constructor(direct: DirectSend | undefined, most: number) {
    this.#direct = direct;
    this.#most = most;
    this.#taken = new Int32Array(most);
  }

  /** Where the next member that is looked at can be sent to; -1: write to it. */
  fdOf(connection: Connection): number {
    return this.#direct === undefined ? -1 : connection.directFd;
  }

  /** From here on `add` means these; nothing of others may be left. */
  begin(members: readonly Connection[]): void {
    this.#members = members;
  }

  add(bytes: Uint8Array, index: number, fd: number): void {
    const batch = this.#batchOf(bytes);
    batch.fds[batch.count] = fd;
    batch.indices[batch.count] = index;
    if (++batch.count === this.#most) this.flush();
  }

  #batchOf(bytes: Uint8Array): Batch {
    for (let i = 0; i < this.#open; i++) {
      const batch = this.#batches[i]!;
      if (batch.bytes === bytes) return batch;
    }
    const batch = (this.#batches[this.#open++] ??= new Batch(this.#most));
    batch.bytes = bytes;
    return batch;
  }

  flush(): void {
    for (let i = 0; i < this.#open; i++) {
      const { bytes, fds, indices, count } = this.#batches[i]!;
      this.#direct?.send(bytes, fds, count, this.#taken);
      for (let k = 0; k < count; k++) {
        const taken = this.#taken[k]!;
        if (taken < bytes.length) this.#members[indices[k]!]!.writeRest(bytes.subarray(taken));
      }
      this.#batches[i]!.count = 0;
      this.#batches[i]!.bytes = nothing;
    }
    this.#open = 0;
  }
}

const nothing = new Uint8Array(0);

class Batch {
  bytes: Uint8Array = nothing;
  count = 0;
  readonly fds: Int32Array;
  /** Of the members, in the same order. */
  readonly indices: Int32Array;

  constructor(most: number) {
    this.fds = new Int32Array(most);
    this.indices = new Int32Array(most);
  }
}
