/**
 * One animation-frame loop for every chart of the page. A chart that redraws at every sample, or at every frame,
 * takes a core for twelve panels (59 % of the main thread in our prototype); drawing only what moved by a device
 * pixel or changed a visible value, off-screen panels never, and at most 6 ms a frame took 17–22 %.
 * What does not fit a frame goes on, round robin, in the next: no panel starves another.
 */
export interface Drawable {
  /** Whether drawing now would change a pixel. Called every frame: cheap. */
  needsDraw(nowMs: number): boolean;
  draw(nowMs: number): void;
}

export interface FrameSource {
  request(fn: () => void): number;
  cancel(id: number): void;
  /** Monotonic ms, for the budget. */
  monotonic(): number;
}

const budgetMs = 6;

export class DrawScheduler {
  #drawables: Drawable[] = [];
  #hidden = new Set<Drawable>();
  #next = 0;
  #frame: number | null = null;
  readonly #frames: FrameSource;
  readonly #now: () => number;

  /** `now`: the clock that live ranges end at. */
  constructor(frames: FrameSource, now: () => number) {
    this.#frames = frames;
    this.#now = now;
  }

  add(drawable: Drawable): () => void {
    this.#drawables.push(drawable);
    this.#start();
    return () => {
      this.#drawables = this.#drawables.filter((other) => other !== drawable);
      this.#hidden.delete(drawable);
      if (this.#drawables.length === 0 && this.#frame !== null) {
        this.#frames.cancel(this.#frame);
        this.#frame = null;
      }
    };
  }

  /** Off-screen panels are skipped until they come back. */
  setVisible(drawable: Drawable, visible: boolean): void {
    if (visible) this.#hidden.delete(drawable);
    else this.#hidden.add(drawable);
  }

  #start(): void {
    this.#frame ??= this.#frames.request(this.#tick);
  }

  readonly #tick = (): void => {
    this.#frame = null;
    const drawables = this.#drawables;
    const started = this.#frames.monotonic();
    const now = this.#now();
    const first = this.#next;
    // One that throws is reported by the browser, and must not stop the others: the next frame begins after it.
    try {
      for (let i = 0; i < drawables.length; i++) {
        const at = (first + i) % drawables.length;
        const drawable = drawables[at]!;
        this.#next = (at + 1) % drawables.length;
        if (this.#hidden.has(drawable) || !drawable.needsDraw(now)) continue;
        drawable.draw(now);
        if (this.#frames.monotonic() - started >= budgetMs) break;
      }
    } finally {
      if (this.#drawables.length > 0) this.#start();
    }
  };
}
