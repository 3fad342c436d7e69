import { appError, limits } from '@nowcast/contract';

/** A longer line can be in no request; without a bound a file without line ends would be held in memory whole. */
export const longestLineBytes = limits.jsonBytes - 1024;
const lineFeed = 0x0a;

/** One record of the file as the server takes it, and the line of the file it begins in, from 1. Texts have line ends. */
export interface NumberedLine {
  line: number;
  bytes: Uint8Array;
  /** Why it cannot be sent. */
  problem?: string;
}

/** The lines of a stream without their ends, however its pieces are cut. Throws `request.invalid` for an endless one. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<NumberedLine> {
  let line = 1;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of input) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, from)) {
      yield { line: line++, bytes: bytes.subarray(from, end) };
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > longestLineBytes)
      throw appError(
        'request.invalid',
        `line ${line} is longer than ${longestLineBytes} bytes; check --format, or split the file into lines`,
      );
  }
  if (rest.length > 0) yield { line, bytes: rest };
}
