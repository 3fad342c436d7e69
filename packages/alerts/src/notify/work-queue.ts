/**
 * One piece of work after the other, in the order they were asked for. Decisions read rows, decide, and write them:
 * two at once would each decide from what the other is about to change.
 */
export class WorkQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when everything asked for until now is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
