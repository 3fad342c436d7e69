import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { type ScriptedAnswer, startScriptedApi } from '../../testing/scripted-api.ts';
import { exportPoints } from './export.ts';

let server: Awaited<ReturnType<typeof startScriptedApi>>;
afterEach(() => server.stop());

/** What an export from a server that answers so writes. */
async function exported(answers: readonly ScriptedAnswer[]): Promise<string> {
  server = await startScriptedApi(answers);
  const output = new PassThrough();
  const written = text(output);
  await exportPoints({
    args: ['--metric', 'm', '--url', server.url.href, '--key', 'nk_a'],
    environment: {},
    print: () => undefined,
    note: () => undefined,
    readInput: () => Promise.resolve(''),
    input: Readable.from([]),
    output,
    interactive: false,
  }).finally(() => output.end());
  return written;
}

const page = (value: number, more: object = {}): ScriptedAnswer => ({
  status: 200,
  body: { from: 1, to: 2, points: [{ value }], ...more },
});
const refusal = (status: number, code: string): ScriptedAnswer => ({
  status,
  body: { error: { code, message: code } },
});

test('a server that is away or busy for a moment is asked again for the same page', async () => {
  const hiccups = [refusal(503, 'warehouse.unavailable'), 'cut', { status: 502, body: '<html>' }] as const;
  expect(await exported([page(1, { cursor: 'c' }), ...hiccups, page(2)])).toBe('{"value":1}\n{"value":2}\n');
  expect(server.asked).toHaveLength(5);
  expect(new Set(server.asked.slice(1)).size).toBe(1);
});

test('what asking again does not mend is told at once', async () => {
  await expect(exported([page(1, { cursor: 'c' }), refusal(422, 'query.too_large')])).rejects.toThrow(
    'query.too_large',
  );
  server.stop();
  await expect(exported([refusal(503, 'warehouse.unavailable')])).rejects.toThrow('warehouse.unavailable');
});

test('an answer that is not of a Nowcast is told with what came', async () => {
  const moved = { status: 301, body: '', headers: { location: 'https://nowcast.example.com/data' } };
  await expect(exported([moved])).rejects.toThrow(
    'the server answered 301: it is at https://nowcast.example.com/data',
  );
  server.stop();
  await expect(exported([{ status: 200, body: '<html>' }])).rejects.toThrow(
    'the server answered with something else than JSON: <html>',
  );
});
