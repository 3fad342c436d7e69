import { describe, expect, test } from 'vitest';
import { chooseFormat } from './data-formats.ts';

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
