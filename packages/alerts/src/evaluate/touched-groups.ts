/** The groups of a rule that got points since they were last looked at, by their places, and what values those had. */
export class TouchedGroups {
  readonly places: number[] = [];
  #marks = new Uint8Array(16);
  /** Of those that are marked. */
  #lows = new Float64Array(16);
  #highs = new Float64Array(16);

  has(place: number): boolean {
    return this.#marks[place] === 1;
  }

  lowOf(place: number): number {
    return this.#lows[place]!;
  }

  highOf(place: number): number {
    return this.#highs[place]!;
  }

  /** Values from `low` to `high`; infinite when they are not known. */
  add(place: number, low: number, high: number): void {
    if (place >= this.#marks.length) this.#grow(2 * place);
    if (this.#marks[place] === 0) {
      this.#marks[place] = 1;
      this.#lows[place] = low;
      this.#highs[place] = high;
      this.places.push(place);
      return;
    }
    if (low < this.#lows[place]!) this.#lows[place] = low;
    if (high > this.#highs[place]!) this.#highs[place] = high;
  }

  clear(): void {
    for (const place of this.places) this.#marks[place] = 0;
    this.places.length = 0;
  }

  #grow(size: number): void {
    const [marks, lows, highs] = [new Uint8Array(size), new Float64Array(size), new Float64Array(size)];
    marks.set(this.#marks);
    lows.set(this.#lows);
    highs.set(this.#highs);
    [this.#marks, this.#lows, this.#highs] = [marks, lows, highs];
  }
}
