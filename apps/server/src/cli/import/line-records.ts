import { openText } from '@nowcast/ingest';
import { longestLineBytes, type NumberedLine } from './lines.ts';

const space = 0x20;
const hash = 0x23;
const newLine = Buffer.from('\n');

/**
 * Lines of line protocol as records: a text may go over several lines, which must not come into two requests. Blank
 * lines and comments are left out. A text that does not close, or not within the bytes that a line may have, ends with
 * the line it opens in, as it does at the server.
 */
export async function* lineRecords(lines: AsyncIterable<NumberedLine>): AsyncGenerator<NumberedLine> {
  let open = new OpenRecord();
  for await (const line of lines) {
    const start = open.isEmpty ? startOf(line) : 0;
    if (start < 0) continue;
    const text = openText(line.bytes.subarray(start), !open.isEmpty);
    if (open.isEmpty && text === undefined) {
      yield line;
      continue;
    }
    open.add(line, text);
    if (text !== undefined && open.bytes <= longestLineBytes) continue;
    yield* open.records();
    open = new OpenRecord();
  }
  yield* open.records();
}

/** A record whose text is open yet. */
class OpenRecord {
  readonly #lines: NumberedLine[] = [];
  /** How many of the lines belong to it should its text never close. */
  #certain = 0;
  bytes = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** `text`: of `openText`. */
  add({ line, bytes }: NumberedLine, text: number | undefined): void {
    // The piece of the file it lies in is used again.
    this.#lines.push({ line, bytes: Uint8Array.from(bytes) });
    this.bytes += bytes.length + 1;
    if (text !== -1) this.#certain = this.#lines.length;
  }

  /** The record, and the lines that are none of it after all: in those no text opens, or it would have closed this one. */
  *records(): Generator<NumberedLine> {
    const [first, ...others] = this.#lines.slice(0, this.#certain);
    if (first === undefined) return;
    const pieces = others.flatMap(({ bytes }) => [newLine, bytes]);
    yield { line: first.line, bytes: Buffer.concat([first.bytes, ...pieces]) };
    for (const line of this.#lines.slice(this.#certain)) if (startOf(line) >= 0) yield line;
  }
}

/** Place of the first byte that means something; −1: blank, or a comment. */
function startOf({ bytes }: NumberedLine): number {
  const start = bytes.findIndex((byte) => byte > space);
  return bytes[start] === hash ? -1 : start;
}
