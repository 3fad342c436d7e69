import type { DirectSend } from '@nowcast/ports';
import type { Connection } from './connection.ts';

/**
 * Writes few buffers to many connections. Those whose socket takes bytes directly are collected and sent to in one go;
 * the others, and what a socket did not take, go through their stream. What was collected is sent by `flush`, in the
 * turn in which it was collected: nothing may happen to a connection in between.
 */
export class CrowdWriter {
  readonly #direct: DirectSend | undefined;
  readonly #most: number;
  /** Kept to be filled again; the first `#open` have something to send. */
  readonly #batches: Batch[] = [];
  readonly #taken: Int32Array;
  #open = 0;

  /** `most` connections are collected at a time. */
  constructor(direct: DirectSend | undefined, most: number) {
    this.#direct = direct;
    this.#most = most;
    this.#taken = new Int32Array(most);
  }

  write(connection: Connection, bytes: Uint8Array, now: number): void {
    const fd = this.#direct === undefined ? -1 : connection.directFd;
    if (fd < 0) {
      connection.write(bytes, now);
      return;
    }
    connection.sentAt = now;
    const batch = this.#batchOf(bytes);
    batch.connections.push(connection);
    batch.fds[batch.connections.length - 1] = fd;
    if (batch.connections.length === this.#most) this.flush();
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
      const { bytes, connections, fds } = this.#batches[i]!;
      this.#direct?.send(bytes, fds, connections.length, this.#taken);
      for (let k = 0; k < connections.length; k++) {
        const taken = this.#taken[k]!;
        if (taken < bytes.length) connections[k]!.sink.write(bytes.subarray(taken));
      }
      connections.length = 0;
      this.#batches[i]!.bytes = nothing;
    }
    this.#open = 0;
  }
}

const nothing = new Uint8Array(0);

class Batch {
  bytes: Uint8Array = nothing;
  readonly connections: Connection[] = [];
  readonly fds: Int32Array;

  constructor(most: number) {
    this.fds = new Int32Array(most);
  }
}
