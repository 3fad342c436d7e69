/**
 * Walks over JSON text as bytes and tells where things begin and end (RFC 8259), without building anything.
 * Places are indexes into the bytes; −1 means a syntax error, then `problem` and `problemAt` say which.
 */
import { limits } from '@nowcast/contract';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const quote = 0x22;
const backslash = 0x5c;
const zero = 48;

/** Letters that may follow a backslash in a string. */
const escapes = new Set(Buffer.from('"\\/bfnrt'));

export class JsonScanner {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes. */
  view: DataView = new DataView(new ArrayBuffer(0));
  end = 0;
  problem = '';
  problemAt = 0;
  /** Whether the last string had a backslash. */
  escaped = false;

  fail(at: number, problem: string): number {
    this.problem = problem;
    this.problemAt = at;
    return -1;
  }

  skipSpace(from: number): number {
    const { bytes, end } = this;
    let at = from;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break;
      at++;
    }
    return at;
  }

  /** Place after the string whose opening quote is at `at`. */
  skipString(at: number): number {
    const { bytes, end } = this;
    this.escaped = false;
    let i = at + 1;
    while (i < end) {
      const byte = bytes[i]!;
      if (byte === quote) return i + 1;
      if (byte < 0x20)
        return this.fail(i, 'a control character inside a string must be written as an escape');
      if (byte === backslash) {
        this.escaped = true;
        i = this.#skipEscape(i);
        if (i < 0) return -1;
      } else i++;
    }
    return this.fail(at, 'a string does not end');
  }

  #skipEscape(at: number): number {
    const { bytes } = this;
    if (at + 1 >= this.end) return this.fail(at, 'a string does not end');
    if (bytes[at + 1] !== 0x75) {
      return escapes.has(bytes[at + 1]!) ? at + 2 : this.fail(at, 'an escape that JSON does not know');
    }
    for (let i = at + 2; i < at + 6; i++) {
      if (i >= this.end || !isHex(bytes[i]!)) return this.fail(at, '\\u takes four hexadecimal digits');
    }
    return at + 6;
  }

  skipNumber(from: number): number {
    const { bytes, end } = this;
    let at = from;
    if (bytes[at] === 0x2d) at++;
    if (at < end && bytes[at] === zero) at++;
    else at = this.#digits(at);
    if (at >= 0 && at < end && bytes[at] === 0x2e) at = this.#digits(at + 1);
    if (at >= 0 && at < end && (bytes[at]! | 0x20) === 0x65) {
      at++;
      if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
      at = this.#digits(at);
    }
    return at;
  }

  #digits(from: number): number {
    let at = from;
    while (at < this.end && (this.bytes[at]! ^ zero) < 10) at++;
    return at === from ? this.fail(at, 'a number lacks digits') : at;
  }

  /** Place after the literal `true`, `false` or `null`. */
  skipWord(at: number): number {
    const first = this.bytes[at];
    const word = first === 0x74 ? 'true' : first === 0x66 ? 'false' : 'null';
    for (let i = 0; i < word.length; i++) {
      if (at + i >= this.end || this.bytes[at + i] !== word.charCodeAt(i)) {
        return this.fail(at, 'a value is expected here');
      }
    }
    return at + word.length;
  }

  /** Place after the value at `at`, whatever it is. `depth` counts the arrays and objects around it. */
  skipValue(at: number, depth: number): number {
    if (at >= this.end) return this.fail(at, 'the text ends too early');
    const byte = this.bytes[at]!;
    if (byte === quote) return this.skipString(at);
    if (byte === 0x2d || (byte ^ zero) < 10) return this.skipNumber(at);
    if (byte !== 0x7b && byte !== 0x5b) return this.skipWord(at);
    if (depth >= limits.jsonDepth) return this.fail(at, `nested deeper than ${limits.jsonDepth} levels`);
    return byte === 0x7b ? this.#skipObject(at, depth + 1) : this.#skipArray(at, depth + 1);
  }

  #skipObject(from: number, depth: number): number {
    let at = this.skipSpace(from + 1);
    if (this.bytes[at] === 0x7d && at < this.end) return at + 1;
    for (;;) {
      at = this.memberValue(at);
      if (at < 0) return -1;
      at = this.skipValue(at, depth);
      if (at < 0) return -1;
      at = this.next(at, 0x7d);
      if (at < 0) return -1;
      if (this.closed) return at;
    }
  }

  #skipArray(from: number, depth: number): number {
    let at = this.skipSpace(from + 1);
    if (this.bytes[at] === 0x5d && at < this.end) return at + 1;
    for (;;) {
      at = this.skipValue(at, depth);
      if (at < 0) return -1;
      at = this.next(at, 0x5d);
      if (at < 0) return -1;
      if (this.closed) return at;
    }
  }

  /** Whether `next` met the closing bracket. */
  closed = false;

  /** Place of the value of the member whose name is at `at`; the name's end goes to `nameEnd`. */
  memberValue(at: number): number {
    if (at >= this.end || this.bytes[at] !== quote)
      return this.fail(at, 'a member name in double quotes is expected here');
    this.nameEnd = this.skipString(at);
    if (this.nameEnd < 0) return -1;
    this.nameEscaped = this.escaped;
    const colon = this.skipSpace(this.nameEnd);
    if (colon >= this.end || this.bytes[colon] !== 0x3a) return this.fail(colon, 'a colon is expected here');
    return this.skipSpace(colon + 1);
  }

  nameEnd = 0;
  nameEscaped = false;

  /** After a member or element: the place of the next one, or after the closing bracket (then `closed`). */
  next(from: number, close: number): number {
    const at = this.skipSpace(from);
    const byte = at < this.end ? this.bytes[at] : undefined;
    this.closed = byte === close;
    if (byte === close) return at + 1;
    if (byte !== 0x2c) {
      return this.fail(
        at,
        close === 0x7d ? 'a comma or } is expected here' : 'a comma or ] is expected here',
      );
    }
    return this.skipSpace(at + 1);
  }

  /**
   * Text of the string in `[from, to)`, quotes included, whose syntax has been checked. Undefined when it is no
   * Unicode text: broken UTF-8, or half of a surrogate pair by escapes.
   */
  text(from: number, to: number, escaped: boolean): string | undefined {
    try {
      if (!escaped) return utf8.decode(this.bytes.subarray(from + 1, to - 1));
      const text = JSON.parse(utf8.decode(this.bytes.subarray(from, to))) as string;
      return text.isWellFormed() ? text : undefined;
    } catch {
      return undefined;
    }
  }
}

function isHex(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte ^ zero) < 10 || (letter >= 0x61 && letter <= 0x66);
}
