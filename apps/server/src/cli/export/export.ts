import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { exportOptions, type Settings } from '@nowcast/config';
import { type DataAnswer, type LabelValues, limits, type PointRecord } from '@nowcast/contract';
import { type ApiClient, jsonOf } from '../api-client.ts';
import { orFullDisk } from '../full-disk.ts';
import type { CommandContext } from '../output.ts';
import { Progress } from '../progress.ts';
import { parseRemoteOptions, withApi } from '../remote.ts';
import { untilAnswered } from '../until-answered.ts';
import { drained } from '../../http/drained.ts';
import { csvHeader, csvLine } from './csv-points.ts';

type ExportSettings = Settings<typeof exportOptions>;

/** Points asked for at once: a few megabytes. */
const pagePoints = 10_000;
/** Points may be a little ahead of the clock; and clocks differ. */
const aheadMs = limits.futureMs + 60_000;

/** `nowcast export`: the points themselves, oldest first, a page at a time. */
export async function exportPoints(context: CommandContext): Promise<number> {
  const settings = parseRemoteOptions(exportOptions, context);
  const written = await withApi(settings, context, (api) => {
    if (settings.output === undefined) return write(api, settings, context, context.output);
    return writeFile(resolve(settings.output), (output) => write(api, settings, context, output));
  });
  context.note(`${written} points\n`);
  return 0;
}

/** The file has its name once it is complete. */
async function writeFile(path: string, fill: (output: Writable) => Promise<number>): Promise<number> {
  const temporary = `${path}.unfinished-${process.pid}`;
  const output = createWriteStream(temporary, { flush: true });
  try {
    const written = await fill(output);
    output.end();
    await finished(output);
    await rename(temporary, path);
    return written;
  } catch (error) {
    const reason = await orFullDisk(error, dirname(path));
    output.destroy();
    await rm(temporary, { force: true });
    throw reason;
  }
}

async function write(
  api: ApiClient,
  settings: ExportSettings,
  context: CommandContext,
  output: Writable,
): Promise<number> {
  // A reader that has seen enough (`| head`) or a full disk: nothing more is asked for then.
  let broken: Error | undefined;
  const onError = (error: Error): void => void (broken ??= error);
  output.on('error', onError);
  const progress = new Progress(context, 'points');
  try {
    const { head, lineOf } = await writerOf(api, settings);
    let written = 0;
    if (head !== '') output.write(head);
    for await (const points of pages(api, settings)) {
      const hasRoom = output.write(points.map(lineOf).join(''));
      if (!hasRoom && broken === undefined) await drained(output);
      if (broken !== undefined) {
        if ((broken as NodeJS.ErrnoException).code === 'EPIPE') return written;
        throw broken;
      }
      written += points.length;
      progress.show(written);
    }
    return written;
  } finally {
    progress.end();
    output.off('error', onError);
  }
}

async function writerOf(
  api: ApiClient,
  { metric, format }: ExportSettings,
): Promise<{ head: string; lineOf: (point: PointRecord) => string }> {
  if (format === 'ndjson') return { head: '', lineOf: (point) => `${JSON.stringify(point)}\n` };
  const query = new URLSearchParams({ metric_type: metric, limit: '1' });
  const answer = (await api.json({ method: 'GET', path: `/api/v1/labels?${query.toString()}` })) as {
    labels: LabelValues[];
  };
  const labels = new Set(answer.labels.map(({ label }) => label).sort());
  return { head: csvHeader([...labels]), lineOf: (point) => csvLine(point, labels) };
}

async function* pages(api: ApiClient, settings: ExportSettings): AsyncGenerator<PointRecord[]> {
  const now = Date.now();
  let from = settings.from ?? String(now - limits.pastMs);
  let to = settings.to ?? String(now + aheadMs);
  for (let cursor: string | undefined; ;) {
    const query = new URLSearchParams({
      metric_type: settings.metric,
      agg: 'none',
      order: 'asc',
      limit: String(pagePoints),
      from,
      to,
      format: 'json',
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const matcher of settings.where) query.append('where', matcher);
    const ask = () => api.send({ method: 'GET', path: `/data?${query.toString()}` });
    // That there is no server is told at once; one that has begun may be away for a while.
    const answer = jsonOf(await (cursor === undefined ? ask() : untilAnswered(ask))) as DataAnswer;
    if (answer.points !== undefined && answer.points.length > 0) yield answer.points;
    if (answer.cursor === undefined) return;
    // `now-1h` means one moment, that of the first page.
    ({ cursor } = answer);
    [from, to] = [String(answer.from), String(answer.to)];
  }
}
