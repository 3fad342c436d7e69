/**
 * Apart from the other exports: it needs the event loop of Node, which pages do not have.
 */

/** How long work keeps the thread at a time, ms. */
const turnMs = 4;

/**
 * Runs work to its end, letting other work of the thread run at a `yield` once `forMs` have passed: the slices between
 * two of them should be shorter than that. The first slice runs in the turn of the call. Rejects with what `work` throws.
 */
export async function inSlices<T>(work: Generator<void, T>, forMs = turnMs): Promise<T> {
  for (let until = performance.now() + forMs; ;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await new Promise(setImmediate);
    until = performance.now() + forMs;
  }
}
