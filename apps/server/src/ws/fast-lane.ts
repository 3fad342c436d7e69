/**
 * The members of a cohort that can be sent to without looking at them: nothing waits before the bytes, nothing is asked or
 * overdue. A tick looks at thousands of viewers, and what it costs is not the looking but the memory that has to come for it: a
 * viewer, its flow, its socket and the socket's states are far apart. Here they are two numbers side by side.
 *
 * Whatever might take a member out of the lane calls `Connection.look`, and the next tick looks at that member as a whole.
 */
export class FastLane {
  /** By index in the cohort: the descriptor to send to; -1: look at it. */
  fds = new Int32Array(8);
  /** Until when it need not be looked at, monotonic ms. */
  until = new Float64Array(8);

  /** A new member, to be looked at first. */
  add(index: number): void {
    if (index === this.fds.length) {
      this.fds = grown(this.fds, new Int32Array(index * 2));
      this.until = grown(this.until, new Float64Array(index * 2));
    }
    this.fds[index] = -1;
  }

  move(from: number, to: number): void {
    this.fds[to] = this.fds[from]!;
    this.until[to] = this.until[from]!;
  }
}

function grown<T extends Int32Array | Float64Array>(values: T, into: T): T {
  into.set(values);
  return into;
}
