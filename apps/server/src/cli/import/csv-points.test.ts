import type { PointRecord } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvHeader, csvLine } from '../export/csv-points.ts';
import { csvAsNdjson } from './csv-points.ts';
import { linesOf, type NumberedLine } from './lines.ts';

/** Pieces of any size, as a pipe delivers them. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield Promise.resolve(bytes.subarray(at, at + size));
}

async function read(text: string, size = 1000): Promise<NumberedLine[]> {
  return Array.fromAsync(csvAsNdjson(linesOf(pieces(text, size))));
}

function points(lines: readonly NumberedLine[]): unknown[] {
  return lines.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown);
}

const text = fc.string({
  unit: fc.constantFrom('a', ' ', "'", '=', '"', ',', '\n', '\r', '\t', '-', 'é', '😀'),
});
const label = fc.constantFrom('host', 'host ', ' host', ' ', 'region', 'a,b', '"q"', 'constructor');
const record = fc.record({
  timestamp: fc.integer({ min: 0, max: 2e12 }),
  metric_type: text.filter((name) => name !== ''),
  source: text,
  value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  data_id: text.filter((name) => name !== ''),
  labels: fc.dictionary(
    label,
    text.filter((value) => value !== ''),
  ),
  message: text.filter((value) => value !== ''),
  received_at: fc.constant(1),
});

/** Empty texts are not there, and nobody sends when something was received. */
function sendable({ received_at: receivedAt, source, labels, ...rest }: PointRecord): unknown {
  expect(receivedAt).toBe(1);
  return {
    ...rest,
    ...(source === '' ? {} : { source }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

describe('points in CSV', () => {
  test('what an export writes, an import reads, whatever the texts hold and however the pipe cuts them', async () => {
    const property = fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 50 }),
      async (records, size) => {
        const names = [...new Set(records.flatMap(({ labels }) => Object.keys(labels)))].sort();
        const lines = records.map((point) => csvLine(point, new Set(names)));
        const found = points(await read(csvHeader(names) + lines.join(''), size));
        expect(found).toEqual(records.map(sendable));
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  test('every record knows the line it begins in, quoted line ends counted', async () => {
    const found = await read('metric_type,value,message\nm,1,"a\nb"\n\nm,2,c\r\nm,3\n');
    expect(found.map(({ line, problem }) => [line, problem])).toEqual([
      [2, undefined],
      [5, undefined],
      [6, 'it has 2 cells, the header 3'],
    ]);
  });

  test('numbers are passed on as they are written, other texts as texts', async () => {
    const found = await read(
      'metric_type,value,timestamp\nm,0.1000,1700000000000\nm,0x10,2026-01-01T00:00:00Z\n',
    );
    expect(found.map(({ bytes }) => Buffer.from(bytes).toString('utf8'))).toEqual([
      '{"metric_type":"m","value":0.1000,"timestamp":1700000000000}',
      '{"metric_type":"m","value":"0x10","timestamp":"2026-01-01T00:00:00Z"}',
    ]);
  });

  test('space around names of columns means nothing, in the name of a label it is kept', async () => {
    const found = await read('metric_type , value, label.host, label.host \nm,1,a,b\n');
    expect(points(found)).toEqual([{ metric_type: 'm', value: 1, labels: { host: 'a', 'host ': 'b' } }]);
  });

  test.each([
    ['', 'the table is empty'],
    ['metric_type,label.a\n', 'the column value is missing'],
    ['metric_type,value,value\n', 'the column "value" is there twice'],
    ['metric_type,value,host\n', 'the column "host" means nothing here'],
    ['metric_type,value\nm,"1\nm,2\n', 'the quotation mark opened in line 2 is never closed'],
  ])('%j is refused: %s', async (table, words) => {
    await expect(read(table)).rejects.toMatchObject({ message: expect.stringContaining(words) });
  });

  test('a label that the header does not name is refused, not lost', () => {
    const point = { metric_type: 'm', value: 1, labels: { host: 'a' } } as unknown as PointRecord;
    expect(() => csvLine(point, new Set(['region']))).toThrow('the label host appeared');
  });
});
