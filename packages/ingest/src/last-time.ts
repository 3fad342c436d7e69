/**
 * The timestamp a body was last seen to hold. A batch repeats few of them, and to see that the same digits stand there
 * again is half the work of reading them.
 */
export class LastTime {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = -1;
  #digits = 13;
  /** Epoch ms; valid after `isAt` or `note`. */
  value = 0;

  /** A body begins, whose timestamps have this many digits: 13 or 19. */
  begin(view: DataView, digits: number): void {
    this.#view = view;
    this.#digits = digits;
    this.#at = -1;
  }

  /** `value` was read from the digits at `at`. */
  note(at: number, value: number): void {
    this.#at = at;
    this.value = value;
  }

  /**
   * Whether the same digits stand at `at`; what follows them is the caller's to look at. That many bytes must lie in
   * the view. Digits are never a NaN or a zero, so that equal doubles are equal bytes.
   */
  isAt(at: number): boolean {
    const last = this.#at;
    if (last < 0) return false;
    const view = this.#view;
    const tail = this.#digits - 8;
    return (
      view.getFloat64(at + tail, true) === view.getFloat64(last + tail, true) &&
      view.getFloat64(at, true) === view.getFloat64(last, true) &&
      (tail < 8 || view.getFloat64(at + 8, true) === view.getFloat64(last + 8, true))
    );
  }
}
