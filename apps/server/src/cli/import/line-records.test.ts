import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchesOf } from './batches.ts';
import { lineRecords } from './line-records.ts';
import { linesOf, longestLineBytes, type NumberedLine } from './lines.ts';

/** Pieces of any size, as a pipe delivers them. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield Promise.resolve(bytes.subarray(at, at + size));
}

function read(text: string, size = 1000): Promise<NumberedLine[]> {
  return Array.fromAsync(lineRecords(linesOf(pieces(text, size))));
}

const asText = ({ line, bytes }: NumberedLine) => [line, Buffer.from(bytes).toString('utf8')];

describe('records of line protocol', () => {
  test('a text over several lines belongs to the record it is in, with whatever looks like a line or a comment', async () => {
    const text = String.raw`say \"hi\" \\`;
    const log = `log,host=a\\ b msg="${text}\n# b\n\ncpu value=1",n=1,more="\n" 5`;
    const found = await read(`\n# a "comment\n  cpu x=1 1\r\n${log}\ncpu "x=1\n \nm,t="a v=1`);
    expect(found.map(asText)).toEqual([
      [3, '  cpu x=1 1\r'],
      [4, log],
      [9, 'cpu "x=1'],
      [11, 'm,t="a v=1'],
    ]);
  });

  test('a text that never closes ends with the line it opens in, and the others are records', async () => {
    const found = await read('a x="1\n2",y="3\n\n# c\nd x=4\n');
    expect(found.map(asText)).toEqual([
      [1, 'a x="1\n2",y="3'],
      [5, 'd x=4'],
    ]);
    const sound = `b,host=${'h'.repeat(990)} x=1`;
    const lines = Math.ceil(longestLineBytes / (sound.length + 1));
    const far = await read(`a x="1\n${`${sound}\n`.repeat(lines)}c x="2"`, 65_536);
    const bytes = Buffer.concat(far.slice(1, -1).map((record) => record.bytes)).toString('utf8');
    expect([bytes, far.length]).toEqual([sound.repeat(lines), lines + 2]);
  });

  test('records are no others however the file is cut into pieces', async () => {
    const part = fc.constantFrom('a', ' ', ',', '=', '="', '"', '\\', '\n', '#', 'm x=1\n', 'm x="');
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (all, size) => {
          const text = all.join('');
          expect((await read(text, size)).map(asText)).toEqual((await read(text)).map(asText));
        },
      ),
    );
  });

  test('no text lies in two requests, and every line of a body knows its place in the file', async () => {
    const text = `${'cpu x=1\n'.repeat(4999)}log msg="a\nb\nc"\n\ncpu x=2\n`;
    const batches = await Array.fromAsync(batchesOf(lineRecords(linesOf(pieces(text, 1000))), 'lines'));
    expect(batches.map(({ body }) => body.toString('utf8').split('\n').length - 1)).toEqual([5002, 1]);
    expect(batches.map(({ records }) => records)).toEqual([5000, 1]);
    expect(batches.map(({ lines }) => lines.at(-1))).toEqual([5002, 5004]);
    expect(batches[0]?.lines).toEqual(Array.from({ length: 5002 }, (_, i) => i + 1));
  });
});
