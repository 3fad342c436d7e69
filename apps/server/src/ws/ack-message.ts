const prefix = Buffer.from('{"type":"ack","n":');
const brace = 0x7d;

/**
 * The number in `{"type":"ack","n":7}` as `JSON.stringify` writes it; -1 when the bytes are anything else, which may
 * still be an acknowledgement in other words. Nearly all that viewers say is this: forty thousand frames a second bring
 * four thousand of them, and the way through JSON and its schema costs more than writing a frame.
 */
export function readAck(text: Uint8Array): number {
  const end = text.length - 1;
  // Nine digits are safe to add up; more are left to the parser.
  if (end <= prefix.length || end > prefix.length + 9 || text[end] !== brace) return -1;
  for (let i = 0; i < prefix.length; i++) if (text[i] !== prefix[i]) return -1;
  let n = 0;
  for (let i = prefix.length; i < end; i++) {
    const digit = text[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  // JSON knows no leading zeros.
  return text[prefix.length] === 0x30 && end > prefix.length + 1 ? -1 : n;
}
