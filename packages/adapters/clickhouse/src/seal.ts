import { randomUUID } from 'node:crypto';
import type { MaintainRequest } from '@nowcast/ports';
import { type Generation, isBelow, type Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { dayMs, hourMs } from './schema.ts';
import { type SqlConnection, upkeepOptions } from './sql-connection.ts';
import { vectorLiteral } from './sql-literals.ts';
import { type DerivationSource, deriveSketches, deriveStates } from './state-sql.ts';

/**
 * Coarse states, derived once per sealed period: an hour from its fine rows, a day from its hours. When late rows have
 * come to lie beside an hour, it is derived again: from its fine rows while they are all there, later from its last
 * generation and the rows above that one's vector.
 */
export interface Period {
  res: number;
  start: number;
}

/** Rows to hold in memory at once while deriving; more of them are derived in slices of series. */
const rowsPerSlice = 5_000_000;

export function keyOf({ res, start }: Period): string {
  return `${res} ${start}`;
}

/** The oldest period that is due, hours first; none of those in `skipped`. */
export function nextSeal(
  manifest: Manifest,
  request: MaintainRequest,
  skipped: ReadonlySet<string>,
): Period | undefined {
  const { at, now, lateMs } = request;
  const days = new Set<number>();
  let hourDue: number | undefined;
  for (const hour of manifest.touchedHours()) {
    if (hour + hourMs + lateMs > now) continue;
    if (isHourDue(manifest, hour, request) && !skipped.has(keyOf({ res: hourMs, start: hour })))
      hourDue = Math.min(hour, hourDue ?? hour);
    const day = Math.floor(hour / dayMs) * dayMs;
    if (day + dayMs + lateMs <= now) days.add(day);
  }
  if (hourDue !== undefined) return { res: hourMs, start: hourDue };
  const due = [...days].filter(
    (day) => isDayDue(manifest, day, at) && !skipped.has(keyOf({ res: dayMs, start: day })),
  );
  return due.length === 0 ? undefined : { res: dayMs, start: Math.min(...due) };
}

function isHourDue(manifest: Manifest, hour: number, { at, now, lateMs }: MaintainRequest): boolean {
  // What is not visible yet will be soon; sealing then spares doing it twice.
  if (manifest.hasLater(hour, at)) return false;
  const newest = manifest.generations(hourMs, hour).at(-1);
  if (newest === undefined) return true;
  // Late rows mostly come in company; deriving again for each would be work for nothing.
  return manifest.hasLater(hour, newest.vector) && newest.atMs + lateMs <= now;
}

/** Every touched hour has its newest state in a generation older than the day's, or the day is due again. */
function isDayDue(manifest: Manifest, day: number, at: readonly number[]): boolean {
  const derived = manifest.generations(dayMs, day).at(-1);
  for (let hour = day; hour < day + dayMs; hour += hourMs) {
    if (!manifest.isTouched(hour)) continue;
    const newest = manifest.generations(hourMs, hour).at(-1);
    if (newest === undefined || !isBelow(newest.vector, at)) return false;
    if (derived !== undefined && newest.gen > derived.gen) return true;
  }
  return derived === undefined;
}

export async function seal(
  connection: SqlConnection,
  manifest: Manifest,
  period: Period,
  request: MaintainRequest,
): Promise<void> {
  const source =
    period.res === hourMs ? hourSource(manifest, period.start, request) : daySource(manifest, period.start);
  const slices = await slicesOf(connection, source);
  const gen = manifest.beginGeneration();
  for (let slice = 0; slice < slices; slice++) {
    const part = inSlice(source, slice, slices);
    for (const derive of [deriveStates, deriveSketches]) {
      await connection.command(derive({ ...period, gen }, part), { token: randomUUID() }, upkeepOptions);
    }
  }
  await manifest.adopt(period.res, period.start, { gen, vector: [...request.at], atMs: request.now });
}

function hourSource(manifest: Manifest, hour: number, { at }: MaintainRequest): DerivationSource {
  const generations = manifest.generations(hourMs, hour);
  const newest = generations.at(-1);
  const inHour = `bucket >= ${hour} AND bucket < ${hour + hourMs} AND flush_to <= ${vectorLiteral(at)}[partition + 1]`;
  if (newest === undefined || hour >= manifest.fineFrom) return { fine: inHour, coarse: undefined };
  return {
    fine: `${inHour} AND flush_to > ${vectorLiteral(newest.vector)}[partition + 1]`,
    coarse: `res = ${hourMs} AND bucket = ${hour} AND gen = ${newest.gen}`,
  };
}

function daySource(manifest: Manifest, day: number): DerivationSource {
  const hours: string[] = [];
  for (let hour = day; hour < day + dayMs; hour += hourMs) {
    const newest: Generation | undefined = manifest.generations(hourMs, hour).at(-1);
    if (newest !== undefined) hours.push(`(bucket = ${hour} AND gen = ${newest.gen})`);
  }
  const inDay = `res = ${hourMs} AND bucket >= ${day} AND bucket < ${day + dayMs}`;
  return { fine: undefined, coarse: `${inDay} AND (${hours.join(' OR ')})` };
}

async function slicesOf(connection: SqlConnection, source: DerivationSource): Promise<number> {
  if (source.fine === undefined) return 1;
  const sql = `SELECT count() AS c FROM states WHERE ${source.fine}`;
  const rows = readNative(await connection.query(sql, {}, upkeepOptions)).numbers('c')[0] ?? 0;
  return Math.max(1, Math.ceil(rows / rowsPerSlice));
}

function inSlice(source: DerivationSource, slice: number, slices: number): DerivationSource {
  if (slices === 1) return source;
  const sliced = (where: string | undefined) =>
    where === undefined ? undefined : `${where} AND series % ${slices} = ${slice}`;
  return { fine: sliced(source.fine), coarse: sliced(source.coarse) };
}
