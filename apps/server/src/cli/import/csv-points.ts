import { appError } from '@nowcast/contract';
import { labelPrefix, pointColumns } from '../export/csv-points.ts';
import { CsvParser } from './csv-parser.ts';
import type { NumberedLine } from './lines.ts';

/** Text that a table program would run, with the apostrophes an export puts before it (`csvText`). */
// oxlint-disable-next-line no-control-regex -- NUL, TAB and CR are what this is about
const guarded = /^'+[=+\-@\t\r\0]/;
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * A table with the columns of an export as NDJSON, a line a record. Numbers are passed on as they are written; what is
 * wrong with a value is the server's to say. Throws `request.invalid` for a header that cannot be meant.
 */
export async function* csvAsNdjson(lines: AsyncIterable<NumberedLine>): AsyncGenerator<NumberedLine> {
  const parser = new CsvParser();
  let header: string[] | undefined;
  for await (const { line, bytes } of lines) {
    const record = parser.add(line, Buffer.from(bytes).toString('utf8'));
    if (record === undefined) continue;
    if (record.cells.length === 1 && record.cells[0] === '') continue;
    if (header === undefined) header = readHeader(record.cells);
    else yield { line: record.line, ...toJson(header, record.cells) };
  }
  const open = parser.openSince;
  if (open !== undefined)
    throw appError('request.invalid', `the quotation mark opened in line ${open} is never closed`);
  if (header === undefined)
    throw appError('request.invalid', 'the table is empty; its first line names columns');
}

function readHeader(cells: readonly string[]): string[] {
  const names = cells.map((cell, i) => columnName(i === 0 ? cell.replace(/^\uFEFF/, '') : cell));
  const known: readonly string[] = pointColumns;
  for (const [i, name] of names.entries()) {
    if (names.indexOf(name) !== i)
      throw appError('request.invalid', `the column "${name}" is there twice; keep one`);
    if (known.includes(name) || (name.startsWith(labelPrefix) && name !== labelPrefix)) continue;
    throw appError(
      'request.invalid',
      `the column "${name}" means nothing here; there are ${known.join(', ')}, and ${labelPrefix}NAME for labels`,
    );
  }
  for (const needed of ['metric_type', 'value'])
    if (!names.includes(needed))
      throw appError('request.invalid', `the column ${needed} is missing; the first line must name it`);
  return names;
}

/** Space around a name of ours means nothing; a label may begin and end with it. */
function columnName(cell: string): string {
  const name = cell.trimStart();
  return name.startsWith(labelPrefix) ? name : name.trimEnd();
}

/** Cells that are empty are not there. */
function toJson(header: readonly string[], cells: readonly string[]): Omit<NumberedLine, 'line'> {
  if (cells.length !== header.length) {
    const problem = `it has ${cells.length} cells, the header ${header.length}`;
    return { bytes: new Uint8Array(0), problem };
  }
  const members: string[] = [];
  const labels: string[] = [];
  for (const [i, name] of header.entries()) {
    const cell = cells[i]!;
    if (cell === '' || name === 'received_at') continue;
    const text = guarded.test(cell) ? cell.slice(1) : cell;
    if (name.startsWith(labelPrefix))
      labels.push(`${JSON.stringify(name.slice(labelPrefix.length))}:${JSON.stringify(text)}`);
    else if (isNumber(name, cell)) members.push(`"${name}":${cell}`);
    else members.push(`"${name}":${JSON.stringify(text)}`);
  }
  if (labels.length > 0) members.push(`"labels":{${labels.join(',')}}`);
  return { bytes: Buffer.from(`{${members.join(',')}}`) };
}

function isNumber(name: string, cell: string): boolean {
  return (name === 'value' || name === 'timestamp') && jsonNumber.test(cell);
}
