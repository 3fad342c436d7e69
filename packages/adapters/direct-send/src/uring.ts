import { assert } from '@nowcast/kernel';
import type { DirectSend } from '@nowcast/ports';
import { type Libc, sendFlags } from './libc.ts';

/**
 * Sends through io_uring: the requests for a few hundred sockets are written into memory that the kernel shares with us, and one
 * system call carries them all out. Measured with 2,000 sockets at 20 Hz that costs what a loop in C over `send` costs;
 * writing to Node's sockets costs 1.6 times as much (docs/decisions/0009).
 *
 * There is nothing asynchronous about it. A send that must not wait is carried out while it is submitted, well or badly, so
 * its completion is there when `io_uring_enter` returns, and nobody reads `bytes` any more. A ring that ever behaves otherwise is
 * closed and not used again: what it was not seen to send, `taken` says was not taken.
 *
 *     submissions: entry i ──► sqes[i & mask]     tail is ours, head the kernel's
 *     completions: {user_data, res, flags}        tail is the kernel's, head ours
 */
export class Uring implements DirectSend {
  readonly way = 'io_uring';
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #layout: Layout;
  /** Heads, tails and completions, as 32-bit words. */
  readonly #ring: Int32Array;
  readonly #entries: Int32Array;
  #tail: number;
  #broken = false;

  private constructor(libc: Libc, fd: number, layout: Layout, ring: ArrayBuffer, entries: ArrayBuffer) {
    this.#libc = libc;
    this.#fd = fd;
    this.#layout = layout;
    this.#ring = new Int32Array(ring);
    this.#entries = new Int32Array(entries);
    this.#tail = Atomics.load(this.#ring, layout.submitTail);
    for (let i = 0; i < layout.entries; i++) this.#ring[layout.indices + i] = i;
  }

  /** Undefined where the kernel is older than 5.19 or does not let us. */
  static open(libc: Libc, entries = 512): Uring | undefined {
    const params = new DataView(new ArrayBuffer(paramsBytes));
    params.setUint32(8, submitAll, true);
    const fd = libc.uringSetup(entries, new Uint8Array(params.buffer));
    if (fd < 0) return undefined;
    const layout = readLayout(params);
    const ring = layout === undefined ? undefined : libc.map(fd, 0, layout.ringBytes);
    const sqes = layout === undefined ? undefined : libc.map(fd, entriesOffset, layout.entries * words * 4);
    if (layout === undefined || ring === undefined || sqes === undefined) {
      libc.close(fd);
      return undefined;
    }
    return new Uring(libc, fd, layout, ring, sqes);
  }

  send(bytes: Uint8Array, fds: Int32Array, count: number, taken: Int32Array): void {
    taken.fill(0, 0, count);
    const address = this.#libc.addressOf(bytes);
    for (let from = 0; from < count && !this.#broken; from += this.#layout.entries) {
      const to = Math.min(count, from + this.#layout.entries);
      this.#submit(address, bytes.length, fds, from, to);
      this.#collect(taken, to - from);
    }
  }

  #submit(address: bigint, length: number, fds: Int32Array, from: number, to: number): void {
    const low = Number(BigInt.asIntN(32, address));
    const high = Number(address >> 32n);
    const entries = this.#entries;
    const mask = this.#layout.entries - 1;
    for (let i = from; i < to; i++) {
      const at = (this.#tail & mask) * words;
      entries[at] = opSend;
      entries[at + 1] = fds[i]!;
      entries[at + 4] = low;
      entries[at + 5] = high;
      entries[at + 6] = length;
      entries[at + 7] = sendFlags;
      entries[at + 8] = i;
      this.#tail = (this.#tail + 1) | 0;
    }
    Atomics.store(this.#ring, this.#layout.submitTail, this.#tail);
    if (this.#libc.uringEnter(this.#fd, to - from) !== to - from) this.#retire();
  }

  #collect(taken: Int32Array, expected: number): void {
    const ring = this.#ring;
    const { completeHead, completeTail, completions, completionMask } = this.#layout;
    let head = ring[completeHead]!;
    const tail = Atomics.load(ring, completeTail);
    if (((tail - head) | 0) !== expected) this.#retire();
    for (; head !== tail; head = (head + 1) | 0) {
      const at = completions + (head & completionMask) * 4;
      taken[ring[at]!] = Math.max(0, ring[at + 2]!);
    }
    Atomics.store(ring, completeHead, head);
  }

  #retire(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#libc.close(this.#fd);
  }
}

const paramsBytes = 120;
/** `IORING_SETUP_SUBMIT_ALL`: a request that fails does not keep the next from being submitted. */
const submitAll = 1 << 7;
/** `IORING_FEAT_SINGLE_MMAP`: both rings are one mapping. */
const singleMap = 1;
const entriesOffset = 0x1000_0000;
const opSend = 26;
/** Of one submission entry, 32 bits each. */
const words = 16;

/** Places in the ring as indices of 32-bit words. */
interface Layout {
  entries: number;
  ringBytes: number;
  submitTail: number;
  indices: number;
  completeHead: number;
  completeTail: number;
  completions: number;
  completionMask: number;
}

/** Reads `struct io_uring_params` as the kernel filled it in. */
function readLayout(params: DataView): Layout | undefined {
  const at = (offset: number): number => params.getUint32(offset, true);
  if ((at(20) & singleMap) === 0) return undefined;
  const [entries, completions] = [at(0), at(4)];
  assert(
    (entries & (entries - 1)) === 0 && (completions & (completions - 1)) === 0,
    'rings are powers of two',
  );
  return {
    entries,
    ringBytes: Math.max(at(64) + entries * 4, at(100) + completions * 16),
    submitTail: at(44) >> 2,
    indices: at(64) >> 2,
    completeHead: at(80) >> 2,
    completeTail: at(84) >> 2,
    completions: at(100) >> 2,
    completionMask: completions - 1,
  };
}
