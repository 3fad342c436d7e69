import { appError, limits } from '@nowcast/contract';

/** One row of a table, and the line it begins in. */
export interface CsvRecord {
  line: number;
  cells: string[];
}

/** RFC 4180, line by line: a cell in quotation marks may hold commas, doubled quotation marks and line ends. */
export class CsvParser {
  #cells: string[] = [];
  #cell = '';
  #isQuoted = false;
  #line = 0;

  /** The record that ends with this line; undefined while a quoted cell goes on in the next one. */
  add(line: number, text: string): CsvRecord | undefined {
    if (this.#isQuoted) this.#cell += '\n';
    else this.#line = line;
    this.#read(text);
    if (this.#isQuoted) {
      if (this.#cell.length <= limits.jsonBytes) return undefined;
      throw appError('request.invalid', `the quotation mark opened in line ${this.#line} is never closed`);
    }
    this.#cells.push(text.endsWith('\r') ? this.#cell.slice(0, -1) : this.#cell);
    const record = { line: this.#line, cells: this.#cells };
    this.#cells = [];
    this.#cell = '';
    return record;
  }

  /** Line in which a quotation mark was opened that is still open. */
  get openSince(): number | undefined {
    return this.#isQuoted ? this.#line : undefined;
  }

  #read(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!;
      if (this.#isQuoted) {
        if (character !== '"') this.#cell += character;
        else if (text[at + 1] === '"') this.#cell += text[at++];
        else this.#isQuoted = false;
      } else if (character === '"' && this.#cell === '') this.#isQuoted = true;
      else if (character === ',') {
        this.#cells.push(this.#cell);
        this.#cell = '';
      } else this.#cell += character;
    }
  }
}
