/**
 * Sends one buffer to many connected sockets of this process in one go, past the runtime's streams.
 *
 * Nothing waits here: what the kernel does not take at once is the caller's to write in the ordinary way. The caller
 * sees to it that a descriptor is open, and that nothing which was written before still waits in a stream above it.
 */
export interface DirectSend {
  /** What it is built on, for the log. */
  readonly way: string;
  /**
   * Sends `bytes` to each of the first `count` descriptors, in their order. `taken[i]` is how many bytes the kernel took for
   * `fds[i]`, 0 when it took none for whatever reason; the stream above finds out about errors by writing the rest. When this
   * returns `bytes` is free again. Never throws and never blocks.
   */
  send(bytes: Uint8Array, fds: Int32Array, count: number, taken: Int32Array): void;
}
