import type { BoardContent } from '@nowcast/contract';
import type {
  BoardLimits,
  BoardListRow,
  BoardRepository,
  BoardRow,
  BoardSave,
  BoardVersionRow,
  NewBoard,
} from '@nowcast/ports';
import { type Kysely, sql, type Transaction } from 'kysely';
import { boardFromRow, boardListFromRow } from './rows.ts';
import type { Tables } from './schema.ts';

const listColumns = [
  'boards.board_id',
  'boards.tenant_id',
  'boards.user_id',
  'boards.title',
  'boards.description',
  'boards.shared',
  'boards.panel_count',
  'boards.version',
  'boards.created_at',
  'boards.updated_at',
] as const;

/** Boards with their owner's name and the viewer's star. */
function selectBoards(db: Kysely<Tables>, tenantId: string, viewerId: string) {
  return db
    .selectFrom('boards')
    .innerJoin('users', 'users.user_id', 'boards.user_id')
    .leftJoin('board_stars', (join) =>
      join
        .onRef('board_stars.tenant_id', '=', 'boards.tenant_id')
        .onRef('board_stars.board_id', '=', 'boards.board_id')
        .on('board_stars.user_id', '=', viewerId),
    )
    .where('boards.tenant_id', '=', tenantId)
    .select((eb) => [
      'users.name as owner_name',
      eb.case().when('board_stars.user_id', 'is', null).then(0).else(1).end().as('starred'),
    ]);
}

/** Columns that lists and look-ups need beside the JSON. */
function contentColumns(content: BoardContent) {
  return {
    title: content.title,
    description: content.description,
    shared: Number(content.shared),
    panel_count: content.panels.length,
    content: JSON.stringify(content),
  };
}

async function writeVersion(
  trx: Transaction<Tables>,
  board: { tenantId: string; boardId: string; version: number; userId: string; at: number },
  content: BoardContent,
): Promise<void> {
  const { tenantId, boardId } = board;
  const author = await trx
    .selectFrom('users')
    .select('name')
    .where('user_id', '=', board.userId)
    .executeTakeFirst();
  await trx
    .insertInto('board_versions')
    .values({
      tenant_id: tenantId,
      board_id: boardId,
      version: board.version,
      user_id: board.userId,
      owner_name: author?.name ?? '',
      content: JSON.stringify(content),
      saved_at: board.at,
    })
    .execute();
  await trx
    .deleteFrom('board_panels')
    .where('tenant_id', '=', tenantId)
    .where('board_id', '=', boardId)
    .execute();
  const panelIds = [...new Set(content.panels.map((panel) => panel.visualization_id))];
  if (panelIds.length > 0) {
    await trx
      .insertInto('board_panels')
      .values(panelIds.map((id) => ({ tenant_id: tenantId, board_id: boardId, visualization_id: id })))
      .execute();
  }
}

/** Whether the newest versions alone would take more, with this one among them. */
async function isTooLarge(
  trx: Transaction<Tables>,
  board: { tenantId: string; boardId: string; content: BoardContent },
  maxBytes: number,
): Promise<boolean> {
  const { bytes } = await trx
    .selectFrom('boards')
    .select(sql<number>`coalesce(sum(octet_length(content)), 0)`.as('bytes'))
    .where('tenant_id', '=', board.tenantId)
    .where('board_id', '!=', board.boardId)
    .executeTakeFirstOrThrow();
  return bytes + Buffer.byteLength(JSON.stringify(board.content)) > maxBytes;
}

/** Versions read at once to be deleted: a save has made room for one, as a rule. */
const oldAtOnce = 100;

/** Deletes the oldest versions of a tenant until the rest takes at most `maxBytes`; the newest of each board stays. */
async function trimVersions(trx: Transaction<Tables>, tenantId: string, maxBytes: number): Promise<void> {
  const { bytes } = await trx
    .selectFrom('board_versions')
    .select(({ fn }) => fn.coalesce(fn.sum<number>('bytes'), sql<number>`0`).as('bytes'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  for (let excess = bytes - maxBytes; excess > 0;) {
    const oldest = await trx
      .selectFrom('board_versions as old')
      .innerJoin('boards', (join) =>
        join
          .onRef('boards.tenant_id', '=', 'old.tenant_id')
          .onRef('boards.board_id', '=', 'old.board_id')
          .onRef('boards.version', '>', 'old.version'),
      )
      .select(['old.board_id', 'old.version', 'old.bytes'])
      .where('old.tenant_id', '=', tenantId)
      .orderBy('old.saved_at')
      .orderBy('old.board_id')
      .orderBy('old.version')
      .limit(oldAtOnce)
      .execute();
    if (oldest.length === 0) return;
    for (const old of oldest) {
      if (excess <= 0) return;
      await trx
        .deleteFrom('board_versions')
        .where('tenant_id', '=', tenantId)
        .where('board_id', '=', old.board_id)
        .where('version', '=', old.version)
        .execute();
      excess -= old.bytes;
    }
  }
}

export class SqliteBoards implements BoardRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  create(
    tenantId: string,
    board: NewBoard,
    limits: BoardLimits,
  ): Promise<'created' | 'too_many' | 'too_large'> {
    return this.#db.transaction().execute(async (trx) => {
      const { count } = await trx
        .selectFrom('boards')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenantId)
        .executeTakeFirstOrThrow();
      if (count >= limits.boards) return 'too_many';
      if (await isTooLarge(trx, { ...board, tenantId }, limits.bytes)) return 'too_large';
      await trx
        .insertInto('boards')
        .values({
          board_id: board.boardId,
          tenant_id: tenantId,
          user_id: board.userId,
          version: 1,
          created_at: board.at,
          updated_at: board.at,
          ...contentColumns(board.content),
        })
        .execute();
      await writeVersion(trx, { ...board, tenantId, version: 1 }, board.content);
      await trimVersions(trx, tenantId, limits.bytes);
      return 'created';
    });
  }

  async list(tenantId: string, viewerId: string): Promise<BoardListRow[]> {
    const rows = await selectBoards(this.#db, tenantId, viewerId)
      .select(listColumns)
      .where((eb) => eb.or([eb('boards.user_id', '=', viewerId), eb('boards.shared', '=', 1)]))
      .orderBy('starred', 'desc')
      .orderBy('boards.updated_at', 'desc')
      .orderBy('boards.board_id')
      .execute();
    return rows.map(boardListFromRow);
  }

  async get(tenantId: string, boardId: string, viewerId: string): Promise<BoardRow | undefined> {
    const row = await selectBoards(this.#db, tenantId, viewerId)
      .select([...listColumns, 'boards.content'])
      .where('boards.board_id', '=', boardId)
      .executeTakeFirst();
    return row && boardFromRow(row);
  }

  async findByPanel(
    tenantId: string,
    visualizationId: string,
    viewerId: string,
  ): Promise<BoardRow | undefined> {
    const row = await selectBoards(this.#db, tenantId, viewerId)
      .innerJoin('board_panels', (join) =>
        join
          .onRef('board_panels.tenant_id', '=', 'boards.tenant_id')
          .onRef('board_panels.board_id', '=', 'boards.board_id'),
      )
      .select([...listColumns, 'boards.content'])
      .where('board_panels.visualization_id', '=', visualizationId)
      .where((eb) => eb.or([eb('boards.user_id', '=', viewerId), eb('boards.shared', '=', 1)]))
      .orderBy('boards.updated_at', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row && boardFromRow(row);
  }

  save(
    tenantId: string,
    boardId: string,
    save: BoardSave,
  ): Promise<{ saved: boolean; version: number } | 'too_large' | undefined> {
    return this.#db.transaction().execute(async (trx) => {
      const current = await trx
        .selectFrom('boards')
        .select(['version', sql<number>`octet_length(content)`.as('bytes')])
        .where('tenant_id', '=', tenantId)
        .where('board_id', '=', boardId)
        .executeTakeFirst();
      if (current === undefined) return undefined;
      if (current.version !== save.baseVersion) return { saved: false, version: current.version };
      const grows = Buffer.byteLength(JSON.stringify(save.content)) > current.bytes;
      // Who has more than that already must be able to have less.
      if (grows && (await isTooLarge(trx, { tenantId, boardId, content: save.content }, save.maxBytes)))
        return 'too_large';
      const version = current.version + 1;
      await trx
        .updateTable('boards')
        .set({ version, updated_at: save.at, ...contentColumns(save.content) })
        .where('tenant_id', '=', tenantId)
        .where('board_id', '=', boardId)
        .execute();
      await writeVersion(trx, { tenantId, boardId, version, userId: save.userId, at: save.at }, save.content);
      await trx
        .deleteFrom('board_versions')
        .where('tenant_id', '=', tenantId)
        .where('board_id', '=', boardId)
        .where('version', '<=', version - save.keepVersions)
        .execute();
      await trimVersions(trx, tenantId, save.maxBytes);
      return { saved: true, version };
    });
  }

  async delete(tenantId: string, boardId: string): Promise<boolean> {
    const deleted = await this.#db
      .deleteFrom('boards')
      .where('tenant_id', '=', tenantId)
      .where('board_id', '=', boardId)
      .executeTakeFirst();
    return deleted.numDeletedRows === 1n;
  }

  star(tenantId: string, boardId: string, userId: string, starred: boolean): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const board = await trx
        .selectFrom('boards')
        .select('board_id')
        .where('tenant_id', '=', tenantId)
        .where('board_id', '=', boardId)
        .executeTakeFirst();
      if (board === undefined) return false;
      const star = { tenant_id: tenantId, board_id: boardId, user_id: userId };
      await trx
        .deleteFrom('board_stars')
        .where('tenant_id', '=', tenantId)
        .where('board_id', '=', boardId)
        .where('user_id', '=', userId)
        .execute();
      if (starred) await trx.insertInto('board_stars').values(star).execute();
      return true;
    });
  }

  async versions(tenantId: string, boardId: string): Promise<BoardVersionRow[]> {
    const rows = await this.#db
      .selectFrom('board_versions')
      .select(['version', 'saved_at', 'user_id', 'owner_name'])
      .where('tenant_id', '=', tenantId)
      .where('board_id', '=', boardId)
      .orderBy('version', 'desc')
      .execute();
    return rows.map(versionFromRow);
  }

  async version(
    tenantId: string,
    boardId: string,
    version: number,
  ): Promise<(BoardVersionRow & { content: BoardContent }) | undefined> {
    const row = await this.#db
      .selectFrom('board_versions')
      .select(['version', 'saved_at', 'user_id', 'owner_name', 'content'])
      .where('tenant_id', '=', tenantId)
      .where('board_id', '=', boardId)
      .where('version', '=', version)
      .executeTakeFirst();
    return row && { ...versionFromRow(row), content: JSON.parse(row.content) as BoardContent };
  }
}

function versionFromRow(row: {
  version: number;
  saved_at: number;
  user_id: string;
  owner_name: string;
}): BoardVersionRow {
  return {
    version: row.version,
    savedAt: row.saved_at,
    userId: row.user_id,
    ownerName: row.owner_name,
  };
}
