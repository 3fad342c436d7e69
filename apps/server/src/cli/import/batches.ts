import { createHash, type Hash } from 'node:crypto';
import type { NumberedLine } from './lines.ts';

/** A request: some lines of the file. `lines[i]` is where the i-th line of the body stands in the file. */
export interface Batch {
  body: Buffer;
  lines: number[];
  /** How many records the body holds, blank lines not counted. */
  records: number;
  /** Names this batch in every run over the same file. */
  idempotencyKey: string;
  /** What could not be sent. */
  problems: { line: number; message: string }[];
}

const mostLines = 5000;
const mostBytes = 1024 * 1024;

/**
 * Cuts the lines into requests. Where a batch ends depends on the file alone, and its key on everything up to there:
 * the same file sent again is the same requests with the same keys, and two batches of equal lines are still two.
 */
export async function* batchesOf(lines: AsyncIterable<NumberedLine>, format: string): AsyncGenerator<Batch> {
  const hash = createHash('sha256').update(`${format}\n`);
  let open = new OpenBatch();
  for await (const line of lines) {
    if (open.isFull(line.bytes.length)) {
      yield open.close(hash);
      open = new OpenBatch();
    }
    open.add(line);
  }
  if (!open.isEmpty) yield open.close(hash);
}

class OpenBatch {
  readonly #pieces: Uint8Array[] = [];
  readonly #lines: number[] = [];
  readonly #problems: Batch['problems'] = [];
  #records = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#problems.length === 0;
  }

  isFull(nextBytes: number): boolean {
    return (
      this.#lines.length + this.#problems.length >= mostLines ||
      (this.#bytes > 0 && this.#bytes + nextBytes + 1 > mostBytes)
    );
  }

  add({ line, bytes, problem }: NumberedLine): void {
    if (problem !== undefined) {
      this.#problems.push({ line, message: problem });
      return;
    }
    // The piece of the file it lies in is used again.
    this.#pieces.push(Buffer.from(bytes), newLine);
    this.#lines.push(line);
    for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1))
      this.#lines.push(this.#lines.at(-1)! + 1);
    if (!isBlank(bytes)) this.#records++;
    this.#bytes += bytes.length + 1;
  }

  close(hash: Hash): Batch {
    const body = Buffer.concat(this.#pieces);
    hash.update(body);
    const idempotencyKey = `import-${hash.copy().digest('hex')}`;
    return { body, lines: this.#lines, records: this.#records, idempotencyKey, problems: this.#problems };
  }
}

const lineFeed = 0x0a;
const newLine = Buffer.of(lineFeed);

/** What is nothing to the server: space, tab and carriage return. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
