import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvText } from './csv.ts';

/** What a spreadsheet reads from one CSV cell (RFC 4180). */
function readCell(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}

describe('C21: CSV', () => {
  test.each([['=1+1'], ['+1'], ['-1'], ['@SUM(A1)'], ['\t=1'], ['\r=1'], ['\0=1'], ["'=1"], ["''=1"]])(
    'text %j cannot become a formula, and removing one apostrophe gives it back',
    (text) => {
      const read = readCell(csvText(text));
      expect(read).toBe(`'${text}`);
    },
  );

  test.each([['plain'], ['1=1'], ["it's"], ["'quoted'"], ['ünïcode']])('text %j stays as it is', (text) => {
    expect(readCell(csvText(text))).toBe(text);
  });

  test('any text comes back, whatever quotes and line breaks it holds', () => {
    const unescape = (read: string): string => (/^'+[=+\-@\t\r\0]/.test(read) ? read.slice(1) : read);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('=', "'", '"', ',', '\r', '\n', '\t', '-', 'a', '\0') }),
        (text) => {
          const cell = csvText(text);
          expect(unescape(readCell(cell))).toBe(text);
          if (!cell.startsWith('"')) expect(cell).not.toMatch(/[",\r\n]/);
        },
      ),
    );
  });
});
