import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endOfBrokenLine, openText } from './line-text.ts';

/** The lines of the text that are its first record, by what is known of each one alone. */
function firstRecord(text: string): string {
  const lines = text.split('\n');
  let certain = 0;
  let isInText = false;
  for (const [i, line] of lines.entries()) {
    const open = openText(new TextEncoder().encode(line), isInText);
    if (open === undefined) return lines.slice(0, i + 1).join('\n');
    isInText = true;
    if (open >= 0) certain = i + 1;
  }
  return lines.slice(0, certain).join('\n');
}

test('a broken line ends at the same place, whether it is looked for in a body or line by line', () => {
  const part = fc.constantFrom('a', ' ', ',', '=', '="', '"', '\\', '\n', 'm x="', '",y="', '\\"');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join('');
      const bytes = new TextEncoder().encode(text);
      expect(text.slice(0, endOfBrokenLine(bytes, 0, bytes.length))).toBe(firstRecord(text));
    }),
    { numRuns: 5000 },
  );
});
