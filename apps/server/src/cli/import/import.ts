import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { importOptions, type Settings } from '@nowcast/config';
import { appError } from '@nowcast/contract';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../output.ts';
import { Progress } from '../progress.ts';
import { parseRemoteOptions, withApi } from '../remote.ts';
import { batchesOf } from './batches.ts';
import { csvAsNdjson } from './csv-points.ts';
import { lineRecords } from './line-records.ts';
import { linesOf, type NumberedLine } from './lines.ts';
import { withoutReceipt } from './ndjson-points.ts';
import { Sender } from './sender.ts';

type ImportSettings = Settings<typeof importOptions>;
type ImportFormat = 'ndjson' | 'csv' | 'line-protocol';

/** Refused lines that are told one by one. */
const mostTold = 100;

interface Outcome {
  lines: number;
  rejected: number;
}

/** `nowcast import`: a file through the same door as everybody's points. */
export async function importPoints(context: CommandContext): Promise<number> {
  const settings = parseRemoteOptions(importOptions, context);
  if (settings.file === '-' && settings.passwordStdin)
    throw appError('request.invalid', 'standard input cannot be both the points and the password; use --key');
  const format = formatOf(settings);
  const input = await openInput(settings.file, context);
  const send = (api: ApiClient): Promise<Outcome> => {
    const [path, contentType] =
      format === 'line-protocol'
        ? [`/api/v2/write?precision=${settings.precision}`, 'text/plain; charset=utf-8']
        : ['/api/v1/ingest', 'application/x-ndjson'];
    const waiting = (why: string): void => context.note(`waiting: ${why}\n`);
    const sender = new Sender(api, { path, contentType, waiting });
    return sendAll(input, format, settings, sender, context);
  };
  const engine = { pastMs: settings.coarseDays * 86_400_000 };
  const { lines, rejected } = await withApi(settings, context, send, engine);
  const kept = lines - rejected;
  context.note(`${lines} lines: ${kept} stored, ${rejected} refused\n`);
  return rejected === 0 ? 0 : 1;
}

async function sendAll(
  input: AsyncIterable<Uint8Array>,
  format: ImportFormat,
  settings: ImportSettings,
  sender: Sender,
  context: CommandContext,
): Promise<Outcome> {
  const lines = recordsOf(linesOf(input), format);
  const progress = new Progress(context, 'lines');
  const outcome: Outcome = { lines: 0, rejected: 0 };
  let told = 0;
  const tell = ({ line, message }: { line: number; message: string }): void => {
    progress.end();
    if (told++ < mostTold) context.note(`line ${line}: ${message}\n`);
  };
  try {
    for await (const batch of batchesOf(lines, `${format} ${settings.precision}`)) {
      const sent = batch.lines.length === 0 ? { rejectedCount: 0, rejected: [] } : await sender.send(batch);
      outcome.lines += batch.records + batch.problems.length;
      outcome.rejected += sent.rejectedCount + batch.problems.length;
      for (const refused of [...batch.problems, ...sent.rejected].sort((a, b) => a.line - b.line))
        tell(refused);
      progress.show(outcome.lines);
    }
  } catch (error) {
    progress.end();
    const before = `${outcome.lines} lines went before; the same command again goes on without counting them twice`;
    if (outcome.lines > 0) context.note(`${before}\n`);
    throw error;
  } finally {
    progress.end();
  }
  if (outcome.rejected > Math.min(told, mostTold))
    context.note(`and ${outcome.rejected - Math.min(told, mostTold)} more lines\n`);
  return outcome;
}

/** The file's records as the server takes them. */
function recordsOf(lines: AsyncIterable<NumberedLine>, format: ImportFormat): AsyncIterable<NumberedLine> {
  if (format === 'csv') return csvAsNdjson(lines);
  return format === 'ndjson' ? withoutReceipt(lines) : lineRecords(lines);
}

const formatByEnd: ReadonlyMap<string, ImportFormat> = new Map([
  ['ndjson', 'ndjson'],
  ['jsonl', 'ndjson'],
  ['csv', 'csv'],
  ['lp', 'line-protocol'],
  ['influx', 'line-protocol'],
]);

function formatOf({ file, format }: ImportSettings): ImportFormat {
  if (format !== 'auto') return format;
  const end = /\.(\w+)$/.exec(file.replace(/\.gz$/, ''))?.[1]?.toLowerCase() ?? '';
  const found = formatByEnd.get(end);
  if (found !== undefined) return found;
  throw appError('request.invalid', `say what ${file} holds: --format ndjson, csv or line-protocol`);
}

async function openInput(file: string, context: CommandContext): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return context.input;
  const found = await stat(file).catch((error: Error) => {
    throw appError('request.not_found', `${file} cannot be opened: ${error.message}`);
  });
  if (found.isDirectory()) throw appError('request.invalid', `${file} is a folder; name a file`);
  const bytes = createReadStream(file, { highWaterMark: 256 * 1024 });
  return file.endsWith('.gz') ? unpacked(bytes, file) : bytes;
}

async function* unpacked(bytes: Readable, file: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  bytes.once('error', (error) => gunzip.destroy(error));
  try {
    yield* bytes.pipe(gunzip);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw appError('request.invalid', `${file} cannot be unpacked: ${why}`, { cause });
  }
}
