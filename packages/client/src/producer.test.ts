import { ManualClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Producer, type ProducerOptions, type RejectedPoint } from './producer.ts';

interface Request {
  url: string;
  key: string;
  authorization: string;
  body: string;
}

/** A server that answers by `answer`; it may also throw, as a broken connection does. */
function setUp(
  answer: (request: Request, number: number) => Response | Promise<Response>,
  options: Partial<ProducerOptions> = {},
) {
  const clock = new ManualClock(1_000_000);
  const requests: Request[] = [];
  const rejected: RejectedPoint[] = [];
  const delays: number[] = [];
  const producer = new Producer({
    url: 'http://127.0.0.1:7070',
    key: 'nk_1_secret',
    clock,
    random: () => 0.5,
    fetch: async (url, init) => {
      const headers = new Headers(init.headers);
      const request = {
        url,
        key: headers.get('idempotency-key') ?? '',
        authorization: headers.get('authorization') ?? '',
        body: init.body as string,
      };
      requests.push(request);
      const answered = answer(request, requests.length);
      const aborted = new Promise<never>((_, reject) => {
        init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
      return Promise.race([answered, aborted]);
    },
    onRejected: (points) => rejected.push(...points),
    onRetry: (_error, delayMs) => delays.push(delayMs),
    ...options,
  });
  return { clock, producer, requests, rejected, delays };
}

const ok = (count: number): Response => Response.json({ accepted: count });
const point = (value: number) => ({ metric_type: 'sales', value });

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('what was not decided', () => {
  test.each([408, 429, 500, 503])('%i is sent again, and nothing is given up', async (status) => {
    const { clock, producer, requests, rejected } = setUp(
      (_request, n) => (n === 1 ? new Response('', { status }) : ok(2)),
      { batchPoints: 2 },
    );
    producer.push(point(1));
    producer.push(point(2));
    await settle();
    clock.advance(60_000);
    await settle();
    expect(producer.stats).toMatchObject({ accepted: 2, rejected: 0, pending: 0 });
    expect(new Set(requests.map(({ key }) => key)).size).toBe(1);
    expect(rejected).toEqual([]);
  });

  test('a flush that waits for it ends when the producer is closed', async () => {
    const { clock, producer } = setUp(() => new Response('', { status: 503 }));
    producer.push(point(1));
    const flushed = producer.flush();
    await settle();
    const closed = producer.close(500);
    await settle();
    clock.advance(500);
    await flushed;
    expect(await closed).toBe(1);
    await producer.flush();
  });
});

describe('batches', () => {
  test('go out when full, as NDJSON with the key, each under its own idempotency key', async () => {
    const { producer, requests } = setUp(() => ok(2), { batchPoints: 2 });
    for (let value = 0; value < 4; value++) producer.push(point(value));
    await settle();
    expect(requests.map((request) => request.body)).toEqual([
      '{"metric_type":"sales","value":0,"timestamp":1000000}\n{"metric_type":"sales","value":1,"timestamp":1000000}',
      '{"metric_type":"sales","value":2,"timestamp":1000000}\n{"metric_type":"sales","value":3,"timestamp":1000000}',
    ]);
    expect(requests[0]).toMatchObject({
      url: 'http://127.0.0.1:7070/api/v1/ingest',
      authorization: 'Bearer nk_1_secret',
    });
    expect(new Set(requests.map((request) => request.key)).size).toBe(2);
    expect(producer.stats).toEqual({ accepted: 4, rejected: 0, refused: 0, pending: 0 });
  });

  test('go out when their oldest point has waited long enough', async () => {
    const { producer, requests, clock } = setUp(() => ok(1), { batchAgeMs: 200 });
    producer.push(point(1));
    clock.advance(199);
    await settle();
    expect(requests.length).toBe(0);
    clock.advance(1);
    await settle();
    expect(requests.length).toBe(1);
  });

  test('stay below the size that the server takes, however large the points are', async () => {
    const { producer, requests } = setUp((request) => ok(request.body.split('\n').length));
    const message = 'ü'.repeat(8000);
    for (let value = 0; value < 200; value++) producer.push({ ...point(value), message });
    await producer.flush();
    expect(Math.max(...requests.map(({ body }) => Buffer.byteLength(body)))).toBeLessThan(1024 * 1024);
    expect(producer.stats.accepted).toBe(200);
  });
});

describe('failures', () => {
  test('of the server or the network are repeated, byte for byte under the same key, ever more slowly', async () => {
    const { producer, requests, delays, clock } = setUp((_request, number) => {
      if (number === 1) return new Response('', { status: 503 });
      if (number === 2) throw new TypeError('connection reset');
      return number === 3 ? new Response('', { status: 500 }) : ok(1);
    });
    producer.push(point(1));
    const flushed = producer.flush();
    for (let turn = 0; turn < 4; turn++) {
      await settle();
      clock.advance(30_000);
    }
    await flushed;
    expect(requests.length).toBe(4);
    expect(new Set(requests.map(({ key, body }) => key + body)).size).toBe(1);
    expect(delays).toEqual([250, 500, 1000]);
    expect(producer.stats).toMatchObject({ accepted: 1, pending: 0 });
  });

  test('with Retry-After wait at least that long', async () => {
    const { producer, delays } = setUp(
      () => new Response('', { status: 429, headers: { 'retry-after': '7' } }),
    );
    producer.push(point(1));
    void producer.flush();
    await settle();
    expect(delays).toEqual([7000]);
  });

  test('that are the sender’s fault are reported and never repeated', async () => {
    for (const status of [400, 401, 403, 409, 413]) {
      const error = { code: 'auth.required', number: 1100, message: 'the key was deleted', retryable: false };
      const { producer, requests, rejected, clock } = setUp(() => Response.json({ error }, { status }));
      producer.push(point(1));
      await producer.flush();
      clock.advance(600_000);
      await settle();
      expect(requests.length, String(status)).toBe(1);
      expect(rejected).toEqual([
        {
          point: { metric_type: 'sales', value: 1, timestamp: 1_000_000 },
          code: 'auth.required',
          message: 'the key was deleted',
        },
      ]);
    }
  });

  test('of single points are reported by the point, and the others count as accepted', async () => {
    const { producer, rejected } = setUp(() =>
      Response.json(
        { accepted: 2, rejected: [{ index: 1, code: 'ingest.rejected', message: 'too old' }] },
        { status: 422 },
      ),
    );
    for (let value = 0; value < 3; value++) producer.push(point(value));
    await producer.flush();
    expect(rejected.map(({ point, message }) => [point.value, message])).toEqual([[1, 'too old']]);
    expect(producer.stats).toEqual({ accepted: 2, rejected: 1, refused: 0, pending: 0 });
  });

  test('a request without an answer is given up after half a minute and repeated', async () => {
    const { producer, requests, clock } = setUp((_request, number) =>
      number === 1 ? new Promise<Response>(() => {}) : ok(1),
    );
    producer.push(point(1));
    const flushed = producer.flush();
    await settle();
    clock.advance(30_000);
    await settle();
    clock.advance(1_000);
    await flushed;
    expect(requests.length).toBe(2);
  });
});

describe('limits', () => {
  test('a full spool refuses the point and says so', async () => {
    const { producer } = setUp(() => new Response('', { status: 503 }), { spoolPoints: 3, batchPoints: 2 });
    expect([1, 2, 3, 4].map((value) => producer.push(point(value)))).toEqual([true, true, true, false]);
    expect(producer.stats).toMatchObject({ refused: 1, pending: 3 });
  });

  test('a value that is no number is refused where it is pushed', () => {
    const { producer } = setUp(() => ok(1));
    expect(() => producer.push(point(Number.NaN))).toThrow(/not a finite number/);
  });

  test('close gives up at its deadline, says how much was not delivered, and sends nothing more', async () => {
    const { producer, requests, clock } = setUp(() => new Response('', { status: 503 }));
    producer.push(point(1));
    producer.push(point(2));
    const closed = producer.close(5000);
    await settle();
    clock.advance(5000);
    expect(await closed).toBe(2);
    const { length } = requests;
    clock.advance(600_000);
    await settle();
    expect(requests.length).toBe(length);
    expect(() => producer.push(point(3))).toThrow(/make a new one/);
  });

  test('flush waits for what was pushed before it, not for what came after', async () => {
    let release: (response: Response) => void = () => {};
    const { producer } = setUp((_request, number) =>
      number === 1
        ? ok(1)
        : new Promise<Response>((resolve) => {
            release = resolve;
          }),
    );
    producer.push(point(1));
    const first = producer.flush();
    producer.push(point(2));
    const second = producer.flush();
    await first;
    expect(producer.stats).toMatchObject({ accepted: 1, pending: 1 });
    release(ok(1));
    await second;
    expect(producer.stats.pending).toBe(0);
  });
});

test('whatever fails before or after the points are stored, each is stored once and none is lost', async () => {
  const fate = fc.constantFrom('ok', 'ok', 'lost before', 'lost after', 'busy', 'broken');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { maxLength: 30 }),
      fc.array(fc.nat({ max: 2000 }), { minLength: 1, maxLength: 30 }),
      async (fates, gaps) => {
        const stored: number[] = [];
        const answered = new Map<string, number>();
        const { producer, clock } = setUp(
          ({ key, body }, number) => {
            const fate = fates[number - 1] ?? 'ok';
            if (fate === 'busy') return new Response('', { status: 429, headers: { 'retry-after': '1' } });
            if (fate === 'broken') return new Response('', { status: 500 });
            if (fate === 'lost before') throw new TypeError('connection reset');
            if (!answered.has(key)) {
              const values = body.split('\n').map((line) => (JSON.parse(line) as { value: number }).value);
              stored.push(...values);
              answered.set(key, values.length);
            }
            if (fate === 'lost after') throw new TypeError('connection reset');
            return ok(answered.get(key)!);
          },
          { batchPoints: 4, batchAgeMs: 500 },
        );
        for (const [value, gap] of gaps.entries()) {
          producer.push(point(value));
          clock.advance(gap);
          await settle();
        }
        const flushed = producer.flush();
        for (let turn = 0; turn <= fates.length; turn++) {
          await settle();
          clock.advance(31_000);
        }
        await flushed;
        expect(stored.toSorted((a, b) => a - b)).toEqual(gaps.map((_, value) => value));
        expect(producer.stats).toMatchObject({ accepted: gaps.length, pending: 0 });
      },
    ),
    { numRuns: 60 },
  );
});
