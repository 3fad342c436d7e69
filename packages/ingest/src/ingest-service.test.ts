import { randomBytes } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { appError, ByteWriter, limits, type PointsRecord } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { Fingerprint } from './fingerprint.ts';
import { DecoderUnderTest, receivedAt, tenant } from './testing/decoded.ts';
import { type Fixture, MemoryLog, restartIngest, send, startIngest } from './testing/fixture.ts';

function started(options: Parameters<typeof startIngest>[0] = {}): Fixture {
  const fixture = startIngest(options);
  fixture.service.begin();
  return fixture;
}

const lineProtocol = { format: 'line-protocol' } as const;
const point = (value: number, rest: Record<string, unknown> = {}) => ({ metric_type: 'cpu', value, ...rest });
const body = (...points: unknown[]) => JSON.stringify(points);

/** Ends everything that can go on without the log. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function valuesInLog(fixture: Fixture): number[] {
  return fixture.log.entries.flatMap((_, partition) =>
    fixture.log.records(partition).flatMap((record) => (record.kind === 'points' ? [...record.values] : [])),
  );
}

describe('answers', () => {
  test('JSON is answered with 200 and a count, line protocol with 204 and nothing', async () => {
    const fixture = started();
    expect(await send(fixture, body(point(1), point(2)))).toStrictEqual({
      status: 200,
      body: '{"accepted":2}',
    });
    expect(await send(fixture, 'cpu value=1', lineProtocol)).toStrictEqual({ status: 204, body: '' });
    expect(await send(fixture, '', lineProtocol)).toStrictEqual({ status: 204, body: '' });
  });

  test('what is wrong is reported with 422 and the rest is kept', async () => {
    const fixture = started();
    const answer = await send(fixture, body(point(1), point(2, { host: 'a' }), point(3)));
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.body)).toMatchObject({
      accepted: 2,
      rejected_count: 1,
      rejected: [{ index: 1, code: 'request.invalid', message: expect.stringMatching(/"host"/) }],
    });
    expect(valuesInLog(fixture)).toStrictEqual([1, 3]);
  });

  test('only the first hundred rejections are listed, all are counted', async () => {
    const answer = await send(started(), 'a\n'.repeat(250), lineProtocol);
    const report = JSON.parse(answer.body) as { rejected: unknown[]; rejected_count: number };
    expect([answer.status, report.rejected.length, report.rejected_count]).toStrictEqual([422, 100, 250]);
  });

  test('Influx clients find code, message and error in every refusal', async () => {
    const partial = JSON.parse((await send(started(), 'a value=1\nb', lineProtocol)).body) as object;
    expect(partial).toMatchObject({
      code: 'unprocessable entity',
      message: expect.stringMatching(/^partial write: 1 points kept, 1 lines dropped; line 2: /),
      error: expect.any(String),
      accepted: 1,
    });
    const broken = await send(started(), 'x', { ...lineProtocol, encoding: 'gzip' });
    expect(JSON.parse(broken.body)).toMatchObject({ code: 'invalid', error: expect.stringMatching(/gzip/) });
  });

  test('a body that is not JSON is refused with 400 and the place, and nothing of it is kept', async () => {
    const fixture = started();
    const answer = await send(fixture, `${body(point(1)).slice(0, -1)},`);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(/"code":"request.invalid".*at byte 33/);
    expect(fixture.log.entries[0]).toStrictEqual([]);
  });

  test('nobody hears of a point before it is durable and applied', async () => {
    const fixture = started();
    fixture.log.held = true;
    const answer = send(fixture, body(point(1)));
    let answered = false;
    void answer.then(() => (answered = true));
    await settled();
    expect([answered, fixture.durable.length]).toStrictEqual([false, 0]);
    fixture.log.release();
    await answer;
    expect(fixture.durable.map(({ offset }) => offset)).toStrictEqual([0]);
  });

  test('receipt times never go back, whatever the clock does', async () => {
    const fixture = started();
    await send(fixture, body(point(1)));
    fixture.clock.advance(-60_000);
    await send(fixture, body(point(2)));
    const times = fixture.log.records().map((record) => record.receivedAt);
    expect(times).toStrictEqual([receivedAt, receivedAt]);
  });
});

describe('limits', () => {
  test('C14: a body larger than the cap is refused with 413 before anything reads it', async () => {
    const answer = await send(started(), new Uint8Array(limits.bodyBytes + 1), lineProtocol);
    expect(answer.status).toBe(413);
    expect((await send(started(), new Uint8Array(limits.jsonBytes + 1).fill(32))).status).toBe(413);
  });

  test('C15: bombs are refused with 413 at the cap, by gzip, deflate and zstd alike', async () => {
    const bomb = Buffer.alloc(limits.decodedBytes + 1, 10);
    for (const [encoding, compressed] of [
      ['gzip', gzipSync(bomb)],
      ['deflate', deflateSync(bomb)],
      ['zstd', zstdCompressSync(bomb)],
    ] as const) {
      const answer = await send(started(), new Uint8Array(compressed), { ...lineProtocol, encoding });
      expect([encoding, answer.status]).toStrictEqual([encoding, 413]);
    }
  });

  test('C15: a small body may not grow a thousandfold', async () => {
    const compressed = new Uint8Array(gzipSync(Buffer.alloc(1024 * 1024, 10)));
    expect(compressed.length * limits.decompressionRatio).toBeLessThan(1024 * 1024);
    expect((await send(started(), compressed, { ...lineProtocol, encoding: 'gzip' })).status).toBe(413);
  });

  test('every encoding that is offered is read, deflate with and without its header', async () => {
    const fixture = started();
    const text = Buffer.from('cpu value=7');
    for (const [encoding, compressed] of [
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['deflate', deflateRawSync(text)],
      ['zstd', zstdCompressSync(text)],
    ] as const) {
      fixture.clock.advance(1);
      const answer = await send(fixture, new Uint8Array(compressed), { ...lineProtocol, encoding });
      expect([encoding, answer]).toStrictEqual([encoding, { status: 204, body: '' }]);
    }
    expect(valuesInLog(fixture)).toStrictEqual([7, 7, 7, 7]);
    const cut = new Uint8Array(gzipSync(text)).slice(0, -4);
    expect((await send(fixture, cut, { ...lineProtocol, encoding: 'gzip' })).status).toBe(400);
  });

  test('what follows the compressed data, or is cut off, is refused and nothing is kept', async () => {
    const fixture = started();
    const text = Buffer.from('cpu value=7\n');
    for (const [encoding, compressed] of [
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['zstd', zstdCompressSync(text)],
    ] as const) {
      const longer = Buffer.concat([compressed, Buffer.from('more')]);
      for (const broken of [longer, compressed.subarray(0, -5)]) {
        const answer = await send(fixture, new Uint8Array(broken), { ...lineProtocol, encoding });
        expect([encoding, answer.status]).toStrictEqual([encoding, 400]);
      }
      const twice = encoding === 'deflate' ? compressed : Buffer.concat([compressed, compressed]);
      expect((await send(fixture, new Uint8Array(twice), { ...lineProtocol, encoding })).status).toBe(204);
    }
  });

  test('bodies count as large as they become: many bombs at once are told to wait', async () => {
    const fixture = started({ maxBytesInFlight: 3_000_000 });
    fixture.log.held = true;
    const bodies = Array.from({ length: 20 }, (_, i) => {
      const line = `cpu,host=h${i} value=1\n`;
      const comment = `#${'x'.repeat(990)}\n`.repeat(1000);
      return new Uint8Array(gzipSync(`${line}${comment}#${randomBytes(10_000).toString('hex')}`));
    });
    const answers = bodies.map((body) => send(fixture, body, { ...lineProtocol, encoding: 'gzip' }));
    await expect.poll(() => fixture.service.stats().busy).toBeGreaterThanOrEqual(17);
    expect(fixture.service.stats().bytesInFlight).toBeLessThanOrEqual(3_000_000);
    fixture.log.held = false;
    fixture.log.release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 204).length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set([204, 429]));
    expect(fixture.service.stats()).toMatchObject({ bytesInFlight: 0, pointsInFlight: 0 });
  });

  test('F12: who sends too much is told to wait, who comes new is not', async () => {
    const fixture = started({ maxBytesInFlight: 10_000 });
    fixture.log.held = true;
    const line = 'cpu value=1\n'.padEnd(1000, '#');
    const noisy = Array.from({ length: 20 }, () => send(fixture, line, { ...lineProtocol, tenant: 'noisy' }));
    await settled();
    expect(fixture.service.stats()).toMatchObject({ busy: 15, bytesInFlight: 5000 });
    const other = send(fixture, line, { ...lineProtocol, tenant: 'other' });
    await settled();
    fixture.log.held = false;
    fixture.log.release();
    expect((await other).status).toBe(204);
    expect((await Promise.all(noisy)).filter(({ status }) => status === 204)).toHaveLength(5);
  });

  test('C17: series beyond the limit are refused one by one, known ones and other tenants go on', async () => {
    const fixture = started({ seriesLimit: 5 });
    const lines = Array.from({ length: 30_000 }, (_, i) => `m,id=${i} value=${i}`).join('\n');
    const answer = await send(fixture, lines, lineProtocol);
    const report = JSON.parse(answer.body) as {
      accepted: number;
      rejected_count: number;
      rejected: { code: string }[];
    };
    expect([answer.status, report.accepted, report.rejected_count]).toStrictEqual([422, 5, 29_995]);
    expect(report.rejected[0]?.code).toBe('ingest.series_limit');
    fixture.clock.advance(1);
    expect((await send(fixture, 'm,id=3 value=1', lineProtocol)).status).toBe(204);
    expect((await send(fixture, lines.slice(0, 60), { ...lineProtocol, tenant: 'other' })).status).toBe(204);
  });

  // After a restart no series is known by its bytes, and a churning label filled the first thousand lines.
  test('C17: behind a thousand that are refused, series that exist are taken, in every format', async () => {
    const before = started({ seriesLimit: 2 });
    await send(before, body(point(1), point(2, { source: 's' })));
    const fixture = restartIngest(before, { seriesLimit: 2 });
    const names = Array.from({ length: 1500 }, (_, i) => `new${i}`);
    const lines = [...names.map((name) => `${name} value=1`), 'cpu,source=s value=3'].join('\n');
    const points = [...names.map((name) => ({ metric_type: name, value: 1 })), point(4)];
    for (const answer of [await send(fixture, lines, lineProtocol), await send(fixture, body(...points))])
      expect(JSON.parse(answer.body)).toMatchObject({ accepted: 1, rejected_count: 1500 });
    expect(valuesInLog(fixture)).toStrictEqual([1, 2, 3, 4]);
  });

  test('C17: series that exist are taken also when the names of new ones took all that a request may bring', () => {
    const known = new DecoderUnderTest();
    known.lines('cpu value=1');
    const decoder = new DecoderUnderTest(known.registry, { newBytesLeft: 1 });
    const { points, rejectedCount } = decoder.lines('new value=1\nnewer value=1\ncpu value=2');
    expect([points.map(({ value }) => value), rejectedCount]).toStrictEqual([[1, 2], 1]);
  });

  test('F10: points older than what is kept are refused in every format, also of a series that is known', async () => {
    const day = 86_400_000;
    const fixture = started({ pastMs: 30 * day });
    const [kept, old] = [receivedAt - 30 * day, receivedAt - 30 * day - 1];
    const refused = {
      status: 422,
      body: expect.stringContaining('30 days back, where nothing is kept') as string,
    };
    const line = (value: number, timestamp: number) => `a value=${value} ${timestamp}000000`;
    const json = (value: number, timestamp: number) => JSON.stringify(point(value, { timestamp }));
    for (const value of [1, 2]) {
      const lines = [line(value, kept), line(value, old), line(value, kept)].join('\n');
      expect(await send(fixture, lines, lineProtocol)).toMatchObject(refused);
      const points = [json(value, kept), json(value, old), json(value, kept)];
      expect(await send(fixture, `[${points.join()}]`)).toMatchObject(refused);
      expect(await send(fixture, points.join('\n'), { format: 'ndjson' })).toMatchObject(refused);
    }
    // Lines that are equal count once.
    expect(valuesInLog(fixture)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  test('C17: a request may not carry more points than its limit, and then none is kept', async () => {
    const fixture = started();
    const answer = await send(fixture, 'a b=1\n'.repeat(limits.pointsPerRequest + 1), lineProtocol);
    expect(answer.status).toBe(413);
    expect(fixture.log.entries[0]).toStrictEqual([]);
  });

  test('F4: while the log is slow, senders are told to wait once too much is on its way', async () => {
    const fixture = started({ maxBytesInFlight: 100 });
    fixture.log.held = true;
    const first = send(fixture, body(point(1, { labels: { host: 'x'.repeat(40) } })));
    const second = await send(fixture, body(point(2)));
    expect(second).toMatchObject({
      status: 429,
      retryAfterSeconds: 1,
      body: expect.stringMatching(/ingest.busy/),
    });
    fixture.log.release();
    expect((await first).status).toBe(200);
    fixture.log.held = false;
    expect((await send(fixture, body(point(2)))).status).toBe(200);
    expect(fixture.service.stats()).toMatchObject({ busy: 1, bytesInFlight: 0, pointsInFlight: 0 });
  });
});

test('F7: while nothing can be taken, every protocol hears why in its own form, and when to come back', async () => {
  let full = true;
  const refusal = () =>
    full ? appError('ingest.busy', 'history is behind', { details: { retry_after_s: 30 } }) : undefined;
  const fixture = started({ refusal });
  const json = await send(fixture, body(point(1)));
  expect(json).toMatchObject({ status: 429, retryAfterSeconds: 30 });
  expect(JSON.parse(json.body)).toMatchObject({ error: { code: 'ingest.busy', number: expect.any(Number) } });
  const influx = await send(fixture, 'cpu value=1', lineProtocol);
  expect(influx).toMatchObject({ status: 429, retryAfterSeconds: 30 });
  expect(JSON.parse(influx.body)).toMatchObject({ message: 'history is behind', error: 'history is behind' });
  expect([fixture.service.stats().busy, valuesInLog(fixture)]).toStrictEqual([2, []]);
  full = false;
  expect((await send(fixture, body(point(1)))).status).toBe(200);
});

describe('a log that refuses', () => {
  test('F2: a full disk answers 507 and keeps nothing; the same request succeeds later and counts once', async () => {
    const fixture = started();
    fixture.log.held = true;
    const points = body(point(1, { data_id: 'a' }), point(2, { data_id: 'b' }));
    const failing = send(fixture, points, { idempotencyKey: 'k' });
    await settled();
    fixture.log.release(appError('log.full', 'the disk is full'));
    expect((await failing).status).toBe(507);
    expect(fixture.durable).toStrictEqual([]);
    fixture.log.held = false;
    expect(await send(fixture, points, { idempotencyKey: 'k' })).toStrictEqual({
      status: 200,
      body: '{"accepted":2}',
    });
    expect(valuesInLog(fixture)).toStrictEqual([1, 2]);
  });

  test('a retry that arrives while the first try is failing fails too, and is not taken for done', async () => {
    const fixture = started();
    fixture.log.held = true;
    const line = 'cpu value=1 1700000000000000000';
    const first = send(fixture, line, lineProtocol);
    await settled();
    const retry = send(fixture, line, lineProtocol);
    await settled();
    fixture.log.release(appError('log.failed', 'fsync failed'));
    expect([(await first).status, (await retry).status]).toStrictEqual([503, 503]);
    fixture.log.held = false;
    expect((await send(fixture, line, lineProtocol)).status).toBe(204);
    expect(valuesInLog(fixture)).toStrictEqual([1]);
  });

  test('what is refused at once takes along what stands behind it, so that no series is missing after a restart', async () => {
    const fixture = started();
    fixture.log.held = true;
    const first = send(fixture, body(point(1)));
    await settled();
    fixture.log.refusal = appError('ingest.busy', 'the disk is slow');
    const refused = send(fixture, body(point(2, { labels: { host: 'refused' } })));
    const behind = send(fixture, body(point(3, { labels: { host: 'behind' } })));
    await settled();
    expect(fixture.log.waiting).toHaveLength(1);
    fixture.log.held = false;
    fixture.log.release();
    expect((await first).status).toBe(200);
    expect([(await refused).status, (await behind).status]).toStrictEqual([429, 429]);
    expect((await send(fixture, body(point(3, { labels: { host: 'behind' } })))).status).toBe(200);
    expect(valuesInLog(fixture)).toStrictEqual([1, 3]);
    const after = restartIngest(fixture);
    expect(after.index.size).toBe(3);
  });

  test('a retry that counts on a batch the log refuses is stored when it comes again', async () => {
    const fixture = started();
    fixture.log.held = true;
    const first = send(fixture, body(point(1)));
    await settled();
    fixture.log.refusal = appError('ingest.busy', 'the disk is slow');
    const order = body(point(7, { data_id: 'order-1' }));
    const refused = send(fixture, order);
    const again = send(fixture, order, { idempotencyKey: 'retry' });
    await settled();
    fixture.log.held = false;
    fixture.log.release();
    await first;
    expect([(await refused).status, (await again).status]).toStrictEqual([429, 429]);
    expect((await send(fixture, order, { idempotencyKey: 'retry' })).status).toBe(200);
    expect(valuesInLog(fixture)).toStrictEqual([1, 7]);
  });

  test('more new series than one record carries go ahead of it in records of their own, or nothing goes', async () => {
    const fixture = started({ seriesLimit: 50_000 });
    const tags = Array.from({ length: 31 }, (_, i) => `t${i}=${'x'.repeat(1000)}`).join(',');
    const fields = Array.from({ length: 1200 }, (_, i) => `f${i}=${i}`).join(',');
    fixture.log.refusal = appError('ingest.busy', 'the disk is slow');
    expect((await send(fixture, `cpu,${tags} ${fields}`, lineProtocol)).status).toBe(429);
    expect(fixture.log.records()).toStrictEqual([]);
    expect((await send(fixture, `cpu,${tags} ${fields}`, lineProtocol)).status).toBe(204);
    const records = fixture.log.records().filter((record) => record.kind === 'points');
    expect(records.map(({ values }) => values.length)).toStrictEqual([0, 0, 1200]);
    expect(records.reduce((sum, { definitions }) => sum + definitions.length, 0)).toBe(1200);
    expect(restartIngest(fixture, { seriesLimit: 2000 }).index.size).toBe(1200);
  });

  test('series first seen in a record that failed are defined by the next one', async () => {
    const fixture = started();
    fixture.log.held = true;
    const failing = [send(fixture, body(point(1))), send(fixture, body(point(1, { source: 'b' })))];
    await settled();
    fixture.log.release(appError('log.full', 'the disk is full'));
    await Promise.all(failing);
    fixture.log.held = false;
    await send(fixture, body(point(2, { source: 'c' })));
    await send(fixture, body(point(3, { source: 'c' })));
    const records = fixture.log.records() as PointsRecord[];
    expect(
      records.map((record) => [record.firstDefinition, record.definitions.map(({ source }) => source)]),
    ).toStrictEqual([
      [0, ['', 'b', 'c']],
      [3, []],
    ]);
  });
});

describe('dedupe', () => {
  test('a data_id is taken once: inside a request, across requests, and while the first is on its way', async () => {
    const fixture = started();
    fixture.log.held = true;
    const first = send(fixture, body(point(1, { data_id: 'a' }), point(2, { data_id: 'a' }), point(3)));
    await settled();
    const second = send(fixture, body(point(4, { data_id: 'a' }), point(5, { data_id: 'b' })));
    await settled();
    fixture.log.release();
    expect((await first).body).toBe('{"accepted":3}');
    expect((await second).body).toBe('{"accepted":2}');
    fixture.log.held = false;
    await send(fixture, body(point(6, { data_id: 'b' })));
    expect(valuesInLog(fixture)).toStrictEqual([1, 3, 5]);
    expect(fixture.service.stats()).toMatchObject({ points: 3, duplicates: 3 });
  });

  test('a data_id is forgotten fifteen minutes of logged time later, and not before', async () => {
    const fixture = started();
    await send(fixture, body(point(1, { data_id: 'a' })));
    fixture.clock.advance(15 * 60_000 - 1);
    await send(fixture, body(point(2, { data_id: 'a' })));
    fixture.clock.advance(1);
    await send(fixture, body(point(3, { data_id: 'a' })));
    expect(valuesInLog(fixture)).toStrictEqual([1, 3]);
  });

  test('one tenant’s ids are nothing to another', async () => {
    const fixture = started();
    await send(fixture, body(point(1, { data_id: 'a' })));
    await send(fixture, body(point(2, { data_id: 'a' })), { tenant: 'other' });
    expect(valuesInLog(fixture)).toStrictEqual([1, 2]);
  });

  test('line protocol: an equal point is a retry, late or not; another value or time is not', async () => {
    const fixture = started();
    const batch =
      'a value=1 1700000000000000000\na value=2 1699999999000000000\na value=1 1700000000000000000';
    await send(fixture, batch, lineProtocol);
    await send(
      fixture,
      `${batch}\na value=3 1699999999000000000\na value=1 1699999999500000000`,
      lineProtocol,
    );
    expect(valuesInLog(fixture)).toStrictEqual([1, 2, 3, 1]);
  });

  // Two clicks of one millisecond counted as one, and nobody was told.
  test('line protocol: what comes without a time of its own is never a retry', async () => {
    const fixture = started();
    const clicks = 'clicks value=1\nclicks value=1 \nclicks value=2\nclicks text="a"\nclicks text="a"\n';
    await send(fixture, clicks, lineProtocol);
    await send(fixture, clicks, lineProtocol);
    expect(valuesInLog(fixture)).toStrictEqual([1, 1, 2, 1, 1, 1, 1, 2, 1, 1]);
    expect(fixture.service.stats().duplicates).toBe(0);
  });

  test('line protocol: lines with a time are retries between others that have none, wherever those move to', async () => {
    const fixture = started();
    const at = `${receivedAt}000000`;
    const told = `note text="a" ${at}\nclicks value=1 ${at}\n`;
    await send(fixture, told, lineProtocol);
    await send(fixture, `clicks value=1\n${told}${told}clicks value=1\nbroken\n${told}`, lineProtocol);
    expect(valuesInLog(fixture)).toStrictEqual([1, 1, 1, 1]);
  });

  test('line protocol: lines with a time are retries, also behind more without one than columns had room for', async () => {
    const fixture = started();
    const lines = (count: number, line: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => line(i));
    const at = `${receivedAt}000000`;
    const batch = [
      ...lines(600, (i) => `log text="${i}" ${at}`),
      ...lines(424, () => 'clicks value=1'),
      ...lines(600, (i) => `temp,i=${i} value=1 ${at}`),
    ].join('\n');
    await send(fixture, batch, lineProtocol);
    expect(valuesInLog(fixture)).toHaveLength(1624);
    const again = restartIngest(fixture);
    await send(again, batch, lineProtocol);
    expect(again.service.stats().duplicates).toBe(1200);
    expect(valuesInLog(again)).toHaveLength(1624 + 424);
  });

  test('line protocol: a refused line without a time says nothing about the one that takes its row', async () => {
    const fixture = started({ seriesLimit: 1 });
    const told = `clicks value=1 ${receivedAt}000000\n`;
    expect((await send(fixture, `${told}clicks value=2,more=3\n${told}`, lineProtocol)).status).toBe(422);
    expect(valuesInLog(fixture)).toStrictEqual([1]);
  });

  test('line protocol: two texts of one moment are two points, the same text is a retry', async () => {
    const fixture = started();
    const batch = 'log text="a" 1700000000000000000\nlog text="b" 1700000000000000000';
    await send(fixture, batch, lineProtocol);
    await send(fixture, batch, lineProtocol);
    const messages = fixture.log.records().map((record) => (record as PointsRecord).extras?.messages);
    expect(messages).toStrictEqual([['a', 'b']]);
  });

  test('a text of JSON is another point than an equal one of line protocol, also after a restart', async () => {
    const fixture = started();
    const json = body({ metric_type: 'log', value: 1, timestamp: receivedAt, message: 'a' });
    await send(fixture, json);
    const again = restartIngest(fixture);
    for (const one of [fixture, again]) await send(one, 'log value="a" 1700000000000000000', lineProtocol);
    await send(again, json);
    const messages = fixture.log.records().map((record) => (record as PointsRecord).extras?.messages);
    expect(messages).toStrictEqual([['a'], ['a'], ['a'], ['a']]);
  });

  test('JSON without a data_id is never a duplicate: two clicks in one millisecond are two', async () => {
    const fixture = started();
    await send(fixture, body(point(1), point(1)));
    await send(fixture, body(point(1)));
    expect(valuesInLog(fixture)).toStrictEqual([1, 1, 1]);
  });
});

describe('Idempotency-Key', () => {
  const idempotencyKey = 'retry-1';

  test('repeats the whole answer, a 422 included, for 24 hours', async () => {
    const fixture = started();
    const points = body(point(1), point('x' as unknown as number));
    const first = await send(fixture, points, { idempotencyKey });
    fixture.clock.advance(24 * 3_600_000 - 1);
    expect(await send(fixture, points, { idempotencyKey })).toStrictEqual(first);
    fixture.clock.advance(1);
    await send(fixture, points, { idempotencyKey });
    expect([first.status, valuesInLog(fixture)]).toStrictEqual([422, [1, 1]]);
  });

  test('the same key with another body is refused', async () => {
    const fixture = started();
    await send(fixture, body(point(1)), { idempotencyKey });
    const answer = await send(fixture, body(point(2)), { idempotencyKey });
    expect([answer.status, answer.body]).toStrictEqual([422, expect.stringMatching(/ingest.key_reused/)]);
    expect((await send(fixture, body(point(2)), { idempotencyKey, keyId: 'key-2' })).status).toBe(200);
  });

  test('the same body compressed otherwise is the same request', async () => {
    const fixture = started();
    await send(fixture, body(point(1)), { idempotencyKey });
    const compressed = new Uint8Array(gzipSync(body(point(1))));
    expect((await send(fixture, compressed, { idempotencyKey, encoding: 'gzip' })).status).toBe(200);
    expect(valuesInLog(fixture)).toStrictEqual([1]);
  });

  test('requests with one key at one moment run once; when the first fails the next one runs', async () => {
    const fixture = started();
    fixture.log.held = true;
    const all = Array.from({ length: 5 }, () => send(fixture, body(point(1)), { idempotencyKey }));
    await settled();
    expect(fixture.log.waiting).toHaveLength(1);
    fixture.log.held = false;
    fixture.log.release(appError('log.full', 'the disk is full'));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toStrictEqual([200, 200, 200, 200, 507]);
    expect(valuesInLog(fixture)).toStrictEqual([1]);
  });
});

describe('a restart', () => {
  test('remembers ids and answers by a checkpoint and the log after it', async () => {
    const before = started();
    await send(before, body(point(1, { data_id: 'a' })), { idempotencyKey: 'k1' });
    const { bytes, offsets } = before.service.checkpoint();
    expect(offsets).toStrictEqual([1]);
    await send(before, body(point(2, { data_id: 'b' })), { idempotencyKey: 'k2' });
    await send(before, 'cpu value=3 1699999999000000000', lineProtocol);
    const after = restartIngest(before, {}, bytes);
    await send(after, body(point(9, { data_id: 'a' }), point(9, { data_id: 'b' })));
    await send(after, 'cpu value=3 1699999999000000000', lineProtocol);
    expect((await send(after, body(point(7)), { idempotencyKey: 'k1' })).status).toBe(422);
    expect((await send(after, body(point(2, { data_id: 'b' })), { idempotencyKey: 'k2' })).status).toBe(200);
    expect(valuesInLog(after)).toStrictEqual([1, 2, 3]);
  });

  test('a checkpoint of the first version, its ids one by one, is still read', async () => {
    const fingerprint = new Fingerprint();
    fingerprint.ofDataId('a');
    const old = new ByteWriter();
    old.u8(1);
    for (const number of [1, 0, 1]) old.varint(number);
    old.string(tenant);
    for (const number of [1, fingerprint.high >>> 0, fingerprint.low >>> 0]) old.varint(number);
    old.f64(receivedAt);
    old.varint(0);
    const fixture = startIngest();
    fixture.service.restore(old.written());
    fixture.service.begin();
    await send(fixture, body(point(1, { data_id: 'a' }), point(2, { data_id: 'b' })));
    expect(valuesInLog(fixture)).toStrictEqual([2]);
  });

  test('F10: receipt times go on from the newest of the log, although the clock was set back', async () => {
    const fixture = startIngest();
    fixture.service.begin(receivedAt + 3_600_000);
    const ahead = { timestamp: receivedAt + 3_600_000 };
    const answer = await send(
      fixture,
      body({ metric_type: 'm', value: 1 }, { metric_type: 'm', value: 2, ...ahead }),
    );
    expect(answer.status).toBe(422);
    const [record] = fixture.log.records(0);
    expect(record).toMatchObject({ receivedAt: receivedAt + 3_600_000 });
    // Event times follow the clock as it is now, and so does what counts as too far ahead.
    expect(record).toMatchObject({ timestamps: Float64Array.of(receivedAt) });
  });

  test('a damaged checkpoint is refused', () => {
    expect(() => startIngest().service.restore(new Uint8Array([1, 1, 255]))).toThrow(/cannot be read/);
  });
});

test('flush marks and ticks take their place among the points', async () => {
  const fixture = started({ log: new MemoryLog(1) });
  const first = send(fixture, body(point(1)));
  await settled();
  const mark = fixture.service.appendControl(0, { kind: 'flush', receivedAt, from: 0 });
  await Promise.all([first, mark, send(fixture, body(point(2)))]);
  expect(fixture.durable.map(({ kind, offset }) => [kind, offset])).toStrictEqual([
    ['points', 0],
    ['control', 1],
    ['points', 2],
  ]);
  expect(await mark).toBe(1);
});

test('a source shows what its key sent, what was refused, its first and its newest point', async () => {
  const fixture = started();
  expect(fixture.service.sourceStatus(tenant, 'key-1')).toMatchObject({
    accepted: 0,
    first_seen_at: null,
    first_sample: null,
    sample: null,
  });
  await send(
    fixture,
    body(point(1), point(2, { labels: { host: 'a' }, actor: 'eve', source: 's' }), { value: 1 }),
  );
  const first = {
    data_id: '',
    source: '',
    timestamp: receivedAt,
    metric_type: 'cpu',
    value: 1,
    labels: {},
    received_at: receivedAt,
  };
  expect(fixture.service.sourceStatus(tenant, 'key-1')).toStrictEqual({
    key_id: 'key-1',
    accepted: 2,
    rejected: 1,
    first_seen_at: receivedAt,
    last_seen_at: receivedAt,
    last_error: { code: 'request.invalid', message: 'the metric_type is missing', at: receivedAt },
    first_sample: first,
    sample: {
      data_id: '',
      source: 's',
      timestamp: receivedAt,
      metric_type: 'cpu',
      value: 2,
      labels: { host: 'a' },
      actor: 'eve',
      received_at: receivedAt,
    },
    metrics: ['cpu'],
  });
  await send(fixture, body(point(3)));
  expect(fixture.service.sourceStatus(tenant, 'key-1')).toMatchObject({
    first_sample: first,
    sample: { value: 3 },
  });
  expect(fixture.service.sourceStatus('other', 'key-1').accepted).toBe(0);
});
