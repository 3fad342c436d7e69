import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseFormat, csvText } from './data-formats.ts';

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

describe('choosing a form', () => {
  test.each([
    [null, undefined, 'json'],
    [null, '*/*', 'json'],
    [null, 'text/csv', 'csv'],
    [null, 'application/x-ndjson, */*;q=0.1', 'ndjson'],
    [null, 'text/html, application/json;q=0.5, text/csv;q=0.9', 'csv'],
    ['csv', 'application/json', 'csv'],
  ] as const)('format %s, Accept %s: %s', (format, accept, expected) => {
    expect(chooseFormat(format, accept)).toBe(expected);
  });

  test('what we cannot write is refused by name', () => {
    expect(() => chooseFormat(null, 'image/png')).toThrow(/text\/csv/);
    expect(() => chooseFormat(null, 'constructor')).toThrow(/text\/csv/);
    expect(() => chooseFormat('pdf', undefined)).toThrow(/json, ndjson or csv/);
  });
});
