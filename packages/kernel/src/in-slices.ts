/**
 * Apart from the other exports: it needs the event loop of Node, which pages do not have.
 */

import { assert } from './assert.ts';

/** How long work keeps the thread at a time, ms: at full load a pass has 150,000 points to fold, and requests wait. */
export const turnMs = 4;

/** Works of this thread that have more to do, longest waiting first. */
const waiting: (() => boolean)[] = [];
let isTurnAhead = false;

/**
 * Goes on in a turn of the event loop in which no other work in slices does: what came from outside waits for one slice
 * before it is looked at, however many works there are. `goOn` says whether there was anything left to do.
 */
function inTurn(goOn: () => boolean): void {
  waiting.push(goOn);
  askForTurn();
}

function askForTurn(): void {
  if (isTurnAhead || waiting.length === 0) return;
  isTurnAhead = true;
  setImmediate(goOnWithFirst);
}

function goOnWithFirst(): void {
  isTurnAhead = false;
  try {
    while (waiting.length > 0 && !waiting.shift()!());
  } finally {
    askForTurn();
  }
}

/**
 * Runs work to its end, letting other work of the thread run at a `yield` once `forMs` have passed: the slices between
 * two of them should be shorter than that. The first slice runs in the turn of the call. Rejects with what `work` throws.
 */
export async function inSlices<T>(work: Generator<void, T>, forMs = turnMs): Promise<T> {
  for (let until = performance.now() + forMs; ;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await nextTurn();
    until = performance.now() + forMs;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) =>
    inTurn(() => {
      resolve();
      return true;
    }),
  );
}

/** The same without a pause. Throws what `work` throws. */
export function inOneTurn<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Work in slices that somebody may need the end of at once. One at a time: `start` is called when none is running, and
 * what it starts runs a first slice in that turn.
 */
export class SlicedWork {
  readonly #forMs: number;
  readonly #now: () => number;
  #work: Generator<void, void> | undefined;
  #ended: (tookMs: number) => void = () => undefined;
  #tookMs = 0;
  #isInSlice = false;

  /** `forMs`: how long it keeps the thread at a time, by the clock `now`. */
  constructor(forMs: number, now = () => performance.now()) {
    this.#forMs = forMs;
    this.#now = now;
  }

  get isRunning(): boolean {
    return this.#work !== undefined;
  }

  /** `ended` hears how long the slices took together, in the turn of the last one. What `work` throws ends it too. */
  start(work: Generator<void, void>, ended: (tookMs: number) => void): void {
    assert(this.#work === undefined && !this.#isInSlice, 'one work at a time');
    this.#work = work;
    this.#ended = ended;
    this.#tookMs = 0;
    this.#run(this.#forMs);
  }

  /** Does the rest of it now. */
  finish(): void {
    if (this.#work !== undefined) this.#run(Number.POSITIVE_INFINITY);
  }

  #run(forMs: number): void {
    const work = this.#work!;
    const begun = this.#now();
    // Until it yields: should it throw, whoever starts the next one must not find this one running.
    this.#work = undefined;
    this.#isInSlice = true;
    let isDone = false;
    try {
      do isDone = work.next().done === true;
      while (!isDone && this.#now() - begun < forMs);
    } finally {
      this.#isInSlice = false;
    }
    if (!isDone) this.#work = work;
    this.#tookMs += this.#now() - begun;
    if (isDone) this.#ended(this.#tookMs);
    else
      inTurn(() => {
        const isLeft = this.#work === work;
        if (isLeft) this.#run(this.#forMs);
        return isLeft;
      });
  }
}
