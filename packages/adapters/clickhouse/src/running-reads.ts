/**
 * Reads under way, by the newest generation that there was when each began: it knows of none above. However long it
 * waits for its turn, what those replaced must still be in the tables.
 */
export class RunningReads {
  readonly #newest = new Set<{ gen: number }>();

  async during<T>(newestGen: number, read: () => Promise<T>): Promise<T> {
    const entry = { gen: newestGen };
    this.#newest.add(entry);
    try {
      return await read();
    } finally {
      this.#newest.delete(entry);
    }
  }

  /** Whether the generation was there when each of them began. */
  know(generation: number): boolean {
    for (const { gen } of this.#newest) if (gen < generation) return false;
    return true;
  }
}
