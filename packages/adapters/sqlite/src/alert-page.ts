import { appError } from '@nowcast/contract';
import { type RawBuilder, sql } from 'kysely';

/** Pages of lists that are ordered by a time and an id, newest first. */

interface PagePosition {
  at: number;
  id: string;
}

function cursorText({ at, id }: PagePosition): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

function parseCursor(text: string): PagePosition {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (Array.isArray(parts) && parts.length === 2) {
    const [at, id] = parts as unknown[];
    if (typeof at === 'number' && typeof id === 'string') return { at, id };
  }
  throw appError('request.invalid', 'The cursor is not one this server gave; leave it out to begin again');
}

/** What comes after the cursor; `time` and `id` are the two columns of the order. */
export function after(cursor: string, time: string, id: string): RawBuilder<boolean> {
  const position = parseCursor(cursor);
  return sql<boolean>`(${sql.ref(time)}, ${sql.ref(id)}) < (${position.at}, ${position.id})`;
}

/** The page out of the rows read, one more than `limit` of them when there is more. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => PagePosition,
): { page: readonly Row[]; cursor: string | undefined } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    page,
    cursor: rows.length > limit && last !== undefined ? cursorText(positionOf(last)) : undefined,
  };
}

/** For `in`: one statement for any number of values, which SQLite need not prepare anew for each length. */
export function oneOf<T extends string>(values: readonly T[]): RawBuilder<T> {
  return sql<T>`(select value from json_each(${JSON.stringify(values)}))`;
}

/** Upper and lower case of every script are one, as are compatibility forms. */
export function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** That `column`, folded text, holds what somebody searches for. */
export function holds(column: string, search: string): RawBuilder<boolean> {
  return sql<boolean>`instr(${sql.ref(column)}, ${foldText(search)}) > 0`;
}
