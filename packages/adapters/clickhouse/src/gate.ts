/** Lets many kinds of work run beside each other, and one kind alone: that waits for the others and keeps new ones out. */
export class Gate {
  readonly #inside = new Set<Promise<unknown>>();
  #closed: Promise<unknown> | undefined;

  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    const running = work();
    this.#inside.add(running);
    try {
      return await running;
    } finally {
      this.#inside.delete(running);
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    const opened = Promise.withResolvers<void>();
    this.#closed = opened.promise;
    try {
      await Promise.allSettled(this.#inside);
      return await work();
    } finally {
      this.#closed = undefined;
      opened.resolve();
    }
  }
}
