import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startScriptedApi } from '../../testing/scripted-api.ts';
import { importPoints } from './import.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-import-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const packed = gzipSync('{"metric_type":"m","value":1}\n');

test.each([
  ['cut off', packed.subarray(0, -10), 'unexpected end of file'],
  ['no gzip', Buffer.from('{"metric_type":"m","value":1}\n'), 'incorrect header check'],
])('a file that is %s is named with what is wrong', async (_what, bytes, why) => {
  const file = join(folder, 'points.ndjson.gz');
  await writeFile(file, bytes);
  const server = await startScriptedApi([{ status: 200, body: {} }]);
  try {
    const imported = importPoints({
      args: [file, '--url', server.url.href, '--key', 'nk_a'],
      environment: {},
      print: () => undefined,
      note: () => undefined,
      readInput: () => Promise.resolve(''),
      input: Readable.from([]),
      output: new PassThrough(),
      interactive: false,
    });
    await expect(imported).rejects.toMatchObject({
      code: 'request.invalid',
      message: `${file} cannot be unpacked: ${why}`,
    });
  } finally {
    server.stop();
  }
});
