import { normaliseQuery } from '@nowcast/aggregate';
import { querySchema } from '@nowcast/contract';
import { SeriesIndex, Tail } from '@nowcast/head';
import type { PointColumns, Warehouse } from '@nowcast/ports';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRecords } from './records.ts';

const nowMs = 10_000_000;
const nothingStored = {
  readPoints: () => Promise.reject(new Error('all of it is in memory')),
} as Partial<Warehouse> as Warehouse;

/** Points of one metric, all in memory; series are numbers, times seconds before now, values the order of arrival. */
function inMemory(points: readonly { series: number; secondsAgo: number }[], perRecord = 1) {
  const index = new SeriesIndex(1);
  const tail = new Tail(0);
  const handles = [0, 1, 2].map((series) =>
    index.define({ tenant: 'acme', metric_type: 'clicks', source: '', labels: [['s', `${series}`]] }),
  );
  for (let start = 0; start < points.length; start += perRecord) {
    const batch = points.slice(start, start + perRecord);
    tail.append({
      offset: start,
      receivedAt: nowMs + start,
      handles: Uint32Array.from(batch, ({ series }) => handles[series]!),
      timestamps: Float64Array.from(batch, ({ secondsAgo }) => nowMs - secondsAgo * 1000),
      values: Float64Array.from(batch, (_, i) => start + i),
      count: batch.length,
      extras: undefined,
    });
  }
  const pin = () => ({ at: [0], positions: [0], release: () => undefined });
  return { index, head: { tails: [tail], pin }, warehouse: nothingStored };
}

async function allPages(
  sources: ReturnType<typeof inMemory>,
  order: 'asc' | 'desc',
  limit: number,
): Promise<{ value: number; id: string }[]> {
  const seen: { value: number; id: string }[] = [];
  let cursor: string | undefined;
  do {
    const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs + 1, order, limit };
    const query = querySchema.parse(cursor === undefined ? input : { ...input, cursor });
    const page = await readRecords(sources, 'acme', normaliseQuery(query, nowMs), { timeoutMs: 1000 });
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    seen.push(...page.rows.map(({ record }) => ({ value: record.value, id: record.data_id })));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return seen;
}

describe('pages of what is in memory', () => {
  test('show every point once and in order, however long they are and however many share a time', async () => {
    const point = fc.record({ series: fc.nat(2), secondsAgo: fc.nat(6) });
    const property = fc.asyncProperty(
      fc.array(point, { minLength: 1, maxLength: 40 }),
      fc.constantFrom('asc' as const, 'desc' as const),
      fc.integer({ min: 1, max: 9 }),
      async (points, order, limit) => {
        const seen = await allPages(inMemory(points), order, limit);
        // The value is the order of receipt.
        const expected = points
          .map(({ secondsAgo }, value) => ({ secondsAgo, value }))
          .sort((a, b) => b.secondsAgo - a.secondsAgo || a.value - b.value)
          .map(({ value }) => value);
        expect(seen.map(({ value }) => value)).toEqual(order === 'asc' ? expected : expected.reverse());
        expect(new Set(seen.map(({ id }) => id)).size).toBe(points.length);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  test.each(['asc', 'desc'] as const)('go on behind tens of thousands of one time (%s)', async (order) => {
    const points = Array.from({ length: 30_000 }, (_, i) => ({
      series: i % 3,
      secondsAgo: i < 25_000 ? 5 : 1,
    }));
    const seen = await allPages(inMemory(points, 1000), order, 4000);
    expect(new Set(seen.map(({ value }) => value)).size).toBe(30_000);
    expect(seen).toHaveLength(30_000);
  });

  test.each(['asc', 'desc'] as const)('of 200,000 points the first ten are found (%s)', async (order) => {
    const points = Array.from({ length: 200_000 }, (_, i) => ({
      series: i % 3,
      secondsAgo: (i * 7919) % 9000,
    }));
    const sources = inMemory(points, 1000);
    const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs + 1, order, limit: 10 };
    const query = normaliseQuery(querySchema.parse(input), nowMs);
    const { rows } = await readRecords(sources, 'acme', query, { timeoutMs: 1000 });
    const sorted = points.map(({ secondsAgo }) => nowMs - secondsAgo * 1000).sort((a, b) => a - b);
    expect(rows.map(({ record }) => record.timestamp)).toEqual(
      order === 'asc' ? sorted.slice(0, 10) : sorted.slice(-10).reverse(),
    );
  });
});

test('the newest page needs no warehouse while memory holds all that is newer than its end', async () => {
  const sources = inMemory(Array.from({ length: 20 }, (_, i) => ({ series: i % 3, secondsAgo: i })));
  sources.head.tails[0]!.noteHistory(nowMs - 10_000);
  const read = (limit: number) => {
    const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs + 1, limit };
    return readRecords(sources, 'acme', normaliseQuery(querySchema.parse(input), nowMs), { timeoutMs: 1000 });
  };
  expect((await read(9)).rows.map(({ record }) => record.value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await expect(read(10)).rejects.toThrow('all of it is in memory');
});

test('records of one receipt and time differ in name by what is in them, and are numbered when nothing differs', async () => {
  const names = async (values: readonly number[]) => {
    const index = new SeriesIndex(1);
    const handle = index.define({ tenant: 'acme', metric_type: 'clicks', source: '', labels: [] });
    const tail = new Tail(0);
    for (const [offset, value] of values.entries()) {
      tail.append({
        offset,
        receivedAt: nowMs,
        handles: Uint32Array.of(handle),
        timestamps: Float64Array.of(nowMs),
        values: Float64Array.of(value),
        count: 1,
        extras: undefined,
      });
    }
    const pin = () => ({ at: [0], positions: [0], release: () => undefined });
    const query = querySchema.parse({ metric_type: 'clicks', agg: 'none', from: 0, to: nowMs + 1 });
    const sources = { index, head: { tails: [tail], pin }, warehouse: nothingStored };
    const { rows } = await readRecords(sources, 'acme', normaliseQuery(query, nowMs), { timeoutMs: 1000 });
    return new Map(rows.map(({ record }) => [record.data_id, record.value]));
  };
  const first = await names([7, 7]);
  const later = await names([7, 7, 3, 7]);
  expect([...first.values()]).toEqual([7, 7]);
  for (const [name, value] of first) expect(later.get(name)).toBe(value);
  expect([...later.values()].sort((a, b) => a - b)).toEqual([3, 7, 7, 7]);
});

test('a cursor that no page ended with is refused with what to do', async () => {
  const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs, cursor: '5~1' };
  const query = normaliseQuery(querySchema.parse(input), nowMs);
  await expect(readRecords(inMemory([]), 'acme', query, { timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'query.invalid',
  });
});

test.each(['9007199254740993', '-999999999999999'])('a cursor at the time %s is refused', async (time) => {
  const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs, cursor: `${time}~1~1~x` };
  const query = normaliseQuery(querySchema.parse(input), nowMs);
  await expect(readRecords(inMemory([]), 'acme', query, { timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'query.invalid',
  });
});

test('a cursor somebody made up makes nobody read, or set memory aside for, millions of points', async () => {
  const sources = inMemory([]);
  sources.head.tails[0]!.noteHistory(nowMs);
  const asked: (number | undefined)[] = [];
  const warehouse = {
    readPoints: (request) => {
      asked.push(request.page?.limit);
      const none = new Float64Array(0);
      return Promise.resolve({
        length: 0,
        series: new Uint32Array(0),
        timestamps: none,
        values: none,
        receivedAt: none,
        dataIds: undefined,
        actors: undefined,
        messages: undefined,
      });
    },
  } as Partial<Warehouse> as Warehouse;
  const cursor = '9999999~0~999999999~x';
  const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs, cursor, limit: 100 };
  const query = normaliseQuery(querySchema.parse(input), nowMs);
  const page = await readRecords({ ...sources, warehouse }, 'acme', query, { timeoutMs: 1000 });
  expect(page.rows).toEqual([]);
  expect(asked).toEqual([10_101]);
});

test('a page of stored points goes on though very many share one time', async () => {
  const count = 200_000;
  const sources = inMemory([]);
  // Whatever is older than anything in memory is asked of the warehouse.
  sources.head.tails[0]!.noteHistory(nowMs);
  const stored: PointColumns = {
    length: count,
    series: new Uint32Array(count),
    timestamps: new Float64Array(count).fill(5),
    values: Float64Array.from({ length: count }, (_, i) => i),
    receivedAt: new Float64Array(count).fill(nowMs),
    dataIds: undefined,
    actors: undefined,
    messages: undefined,
  };
  const warehouse = { readPoints: () => Promise.resolve(stored) } as Partial<Warehouse> as Warehouse;
  const input = { metric_type: 'clicks', agg: 'none', from: 0, to: nowMs, limit: 3 };
  const query = normaliseQuery(querySchema.parse(input), nowMs);
  const page = await readRecords({ ...sources, warehouse }, 'acme', query, { timeoutMs: 1000 });
  // Points of one time and one receipt go by their ids, which are text.
  expect(page.rows.map(({ record }) => record.value)).toEqual([99_999, 99_998, 99_997]);
});
