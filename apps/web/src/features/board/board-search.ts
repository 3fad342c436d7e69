import { whereSchema, type Where } from '@nowcast/contract';
import type { RangeSearch } from '../../time/range.ts';
import { wallTime } from '../../time/zone.ts';

/** What the address of a board holds: reload, back and share reproduce the view. */
export interface BoardSearch extends RangeSearch {
  tz?: string | undefined;
  /** Chosen values of variables, by label. */
  vars?: Record<string, string[]> | undefined;
  /** Filter chips. */
  where?: Where | undefined;
  /** The panel that is shown alone or edited. */
  panel?: string | undefined;
  edit?: boolean | undefined;
  /** Without the frame around it, for a wall. */
  kiosk?: boolean | undefined;
}

function time(value: unknown): string | number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return typeof value === 'string' && value.length < 64 ? value : undefined;
}

function isZone(value: unknown): value is string {
  try {
    return typeof value === 'string' && wallTime(0, value).year > 0;
  } catch {
    return false;
  }
}

function isStringLists(value: unknown): value is Record<string, string[]> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (list) => Array.isArray(list) && list.every((item) => typeof item === 'string'),
    )
  );
}

/** Keeps what is understood of an address and drops the rest: a mangled link still opens the board. */
export function readBoardSearch(raw: Record<string, unknown>): BoardSearch {
  const search: BoardSearch = {};
  const from = time(raw['from']);
  const to = time(raw['to']);
  if (from !== undefined) search.from = from;
  if (to !== undefined) search.to = to;
  if (isZone(raw['tz'])) search.tz = raw['tz'];
  if (isStringLists(raw['vars'])) search.vars = raw['vars'];
  const where = whereSchema.safeParse(raw['where']);
  if (where.success && Object.keys(where.data).length > 0) search.where = where.data;
  if (typeof raw['panel'] === 'string') search.panel = raw['panel'];
  if (raw['edit'] === true || raw['edit'] === 1) search.edit = true;
  if (raw['kiosk'] === true || raw['kiosk'] === 1) search.kiosk = true;
  return search;
}
