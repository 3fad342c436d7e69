import { noUnit, type RuleEntry } from '@nowcast/alerts';

/** Numbers of a cell: the rule's number and side, its unit for the series, and the cell before it. */
const cellSize = 3;

/**
 * Which rules read a series, and as which of their units: for each series a chain of cells in one array of numbers.
 * As objects, a dozen targets of a series take most of a kilobyte, and a million series may have them.
 *
 * ```
 *  heads   handle → its newest cell, 0 for none
 *  cells   … │ rule · 2 + side   unit   cell before │ …      unit: as its rule last said, negative for none
 * ```
 */
export class RuleTargets {
  readonly #rules: (RuleEntry | undefined)[] = [];
  readonly #numbers = new Map<RuleEntry, number>();
  #heads = new Uint32Array(1024);
  #cells = new Uint32Array(1024 * cellSize);
  /** The first cell stands for none. */
  #count = 1;
  /** Newest of the cells that were let go of, chained like those of a series. */
  #free = 0;

  has(handle: number): boolean {
    return handle < this.#heads.length && this.#heads[handle] !== 0;
  }

  /** A target that was told no unit so far. */
  add(handle: number, entry: RuleEntry, side: number): void {
    if (handle >= this.#heads.length) this.#heads = grown(this.#heads, handle + 1);
    const at = this.#newCell() * cellSize;
    this.#cells[at] = this.#numberOf(entry) * 2 + side;
    this.#cells[at + 1] = noUnit;
    this.#cells[at + 2] = this.#heads[handle]!;
    this.#heads[handle] = at / cellSize;
  }

  /** Calls `visit` with each target of a series, and the cell it is in. */
  forEach(handle: number, visit: (entry: RuleEntry, side: number, unit: number, cell: number) => void): void {
    if (handle >= this.#heads.length) return;
    const cells = this.#cells;
    for (let cell = this.#heads[handle]!; cell !== 0; cell = cells[cell * cellSize + 2]!) {
      const target = cells[cell * cellSize]!;
      visit(this.#rules[target >>> 1]!, target & 1, cells[cell * cellSize + 1]! | 0, cell);
    }
  }

  setUnit(cell: number, unit: number): void {
    this.#cells[cell * cellSize + 1] = unit;
  }

  /** Lets go of a rule, and calls `onBare` with each series that no other rule reads. */
  remove(entry: RuleEntry, onBare: (handle: number) => void): void {
    const number = this.#numbers.get(entry);
    if (number === undefined) return;
    for (let handle = 0; handle < this.#heads.length; handle += 1) {
      if (this.#heads[handle] === 0) continue;
      this.#unlink(handle, number);
      if (this.#heads[handle] === 0) onBare(handle);
    }
    this.#numbers.delete(entry);
    this.#rules[number] = undefined;
  }

  #unlink(handle: number, rule: number): void {
    const cells = this.#cells;
    let after = 0;
    for (let cell = this.#heads[handle]!; cell !== 0;) {
      const before = cells[cell * cellSize + 2]!;
      if (cells[cell * cellSize]! >>> 1 !== rule) {
        after = cell;
      } else {
        if (after === 0) this.#heads[handle] = before;
        else cells[after * cellSize + 2] = before;
        cells[cell * cellSize + 2] = this.#free;
        this.#free = cell;
      }
      cell = before;
    }
  }

  #newCell(): number {
    const cell = this.#free;
    if (cell !== 0) {
      this.#free = this.#cells[cell * cellSize + 2]!;
      return cell;
    }
    if ((this.#count + 1) * cellSize > this.#cells.length)
      this.#cells = grown(this.#cells, (this.#count + 1) * cellSize);
    return this.#count++;
  }

  #numberOf(entry: RuleEntry): number {
    let number = this.#numbers.get(entry);
    if (number === undefined) {
      const unused = this.#rules.indexOf(undefined);
      number = unused < 0 ? this.#rules.length : unused;
      this.#rules[number] = entry;
      this.#numbers.set(entry, number);
    }
    return number;
  }
}

function grown(array: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, 2 * array.length));
  larger.set(array);
  return larger;
}
