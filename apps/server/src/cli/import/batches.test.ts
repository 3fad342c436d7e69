import { describe, expect, test } from 'vitest';
import { type Batch, batchesOf } from './batches.ts';
import type { NumberedLine } from './lines.ts';

async function* lines(texts: readonly string[]): AsyncGenerator<NumberedLine> {
  for (const [i, text] of texts.entries()) yield Promise.resolve({ line: i + 1, bytes: Buffer.from(text) });
}

function batches(texts: readonly string[], format = 'ndjson'): Promise<Batch[]> {
  return Array.fromAsync(batchesOf(lines(texts), format));
}

const keys = (found: readonly Batch[]) => found.map(({ idempotencyKey }) => idempotencyKey);
const many = Array.from({ length: 12_000 }, (_, i) => `line ${i}`);

describe('batches of an import', () => {
  test('hold every line once, in order, and know where it stands in the file', async () => {
    const found = await batches(many);
    expect(found).toHaveLength(3);
    expect(found.map(({ body }) => body.toString('utf8')).join('')).toBe(`${many.join('\n')}\n`);
    expect(found.flatMap((batch) => batch.lines)).toEqual(many.map((_, i) => i + 1));
  });

  test('the same file has the same keys, equal batches at other places and other formats have others', async () => {
    const same = Array.from({ length: 10_000 }, () => 'again');
    const first = keys(await batches(same));
    expect(keys(await batches(same))).toEqual(first);
    expect(new Set([...first, ...keys(await batches(same, 'csv'))]).size).toBe(4);
  });

  test('what was sent whole before keeps its key when the file grows', async () => {
    expect(keys(await batches([...many, 'new'])).slice(0, 2)).toEqual(keys(await batches(many)).slice(0, 2));
  });

  test('a batch stays below a mebibyte, a longer line goes alone', async () => {
    const found = await batches(['a'.repeat(700_000), 'b'.repeat(700_000), 'c'.repeat(2_000_000), 'd']);
    expect(found.map((batch) => batch.lines)).toEqual([[1], [2], [3], [4]]);
  });
});
