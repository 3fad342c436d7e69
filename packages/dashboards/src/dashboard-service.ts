import {
  type Actor,
  appError,
  type Board,
  type BoardContent,
  type BoardSummary,
  type BoardVersion,
  type Can,
  type Panel,
  parseDuration,
  parseStep,
  type SaveBoardInput,
} from '@nowcast/contract';
import { type AppError, type Clock, randomId } from '@nowcast/kernel';
import type { BoardLimits, BoardListRow, BoardRow, MetaStore } from '@nowcast/ports';
import { gridColumns } from './panel-builder.ts';

const mebibyte = 1024 * 1024;
/** All versions of a thousand boards of five kilobytes each; those of larger ones are fewer. */
const tenantLimits: BoardLimits = { boards: 1000, bytes: 256 * mebibyte };
const versionsKept = 50;
/** Of the content as JSON: a hundred panels with long filters. */
const maxContentBytes = 512 * 1024;

/** One panel, with the board that says whose it is and since when. */
export interface Visualization {
  board: Board;
  panel: Panel;
}

/**
 * Boards: who sees them, who saves them, and what was saved before. Somebody who may not see a board is told that
 * there is none; somebody who may see but not change it is told so.
 */
export class DashboardService {
  readonly #store: MetaStore;
  readonly #clock: Clock;
  readonly #can: Can;
  readonly #limits: BoardLimits;

  constructor(options: { store: MetaStore; clock: Clock; can: Can; limits?: BoardLimits }) {
    this.#limits = options.limits ?? tenantLimits;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#can = options.can;
  }

  /** Own boards and those shared in the tenant: starred first, then the last changed. */
  async list(actor: Actor): Promise<BoardSummary[]> {
    this.#require(actor, 'board.read');
    const rows = await this.#store.boards.list(actor.tenant_id, viewerOf(actor));
    return rows
      .filter((row) => this.#can(actor, 'board.read', objectOf(actor, row.userId, row.shared)))
      .map((row) => this.#summary(actor, row));
  }

  async get(actor: Actor, boardId: string): Promise<Board> {
    return this.#board(actor, await this.#readable(actor, boardId));
  }

  /** The board belongs to the actor, who must be a person. */
  async create(actor: Actor, content: BoardContent): Promise<Board> {
    this.#require(actor, 'board.write');
    if (actor.kind !== 'user')
      throw appError('auth.forbidden', 'Boards belong to people; sign in to make one');
    if (content.shared) this.#require(actor, 'board.share');
    checkContent(content);
    const boardId = randomId('board');
    const board = { boardId, userId: actor.user_id, content, at: this.#clock.now() };
    const result = await this.#store.boards.create(actor.tenant_id, board, this.#limits);
    if (result === 'too_large') throw this.#tooLarge();
    if (result === 'too_many') {
      throw appError(
        'request.conflict',
        `An organisation has at most ${this.#limits.boards} boards; delete some that nobody needs`,
      );
    }
    return this.get(actor, boardId);
  }

  /** `request.conflict` with `details.version` when somebody else has saved since `base_version`. */
  async save(
    actor: Actor,
    boardId: string,
    { content, base_version: baseVersion }: SaveBoardInput,
  ): Promise<Board> {
    const before = await this.#writable(actor, boardId);
    if (content.shared !== before.content.shared)
      this.#require(actor, 'board.share', objectOf(actor, before.userId, before.content.shared));
    checkContent(content);
    const result = await this.#store.boards.save(actor.tenant_id, boardId, {
      content,
      baseVersion,
      userId: actor.kind === 'user' ? actor.user_id : before.userId,
      at: this.#clock.now(),
      keepVersions: versionsKept,
      maxBytes: this.#limits.bytes,
    });
    if (result === 'too_large') throw this.#tooLarge();
    if (result === undefined) throw noSuchBoard();
    if (!result.saved) {
      throw appError(
        'request.conflict',
        `Somebody saved version ${result.version} since you opened version ${baseVersion}; load it, or save yours as a copy`,
        { details: { version: result.version } },
      );
    }
    // An administrator who takes the share away does not see the board any more: the answer is built without a check.
    const after = await this.#store.boards.get(actor.tenant_id, boardId, viewerOf(actor));
    if (after === undefined) throw noSuchBoard();
    return this.#board(actor, after);
  }

  async delete(actor: Actor, boardId: string): Promise<void> {
    await this.#writable(actor, boardId);
    if (!(await this.#store.boards.delete(actor.tenant_id, boardId))) throw noSuchBoard();
  }

  /** A private copy that belongs to the actor; its panels get ids of their own. */
  async duplicate(actor: Actor, boardId: string): Promise<Board> {
    const { content } = await this.#readable(actor, boardId);
    const panels = content.panels.map((panel) => ({ ...panel, visualization_id: randomId('panel') }));
    const title = `${content.title.slice(0, 113)} (copy)`;
    return this.create(actor, { ...content, title, shared: false, panels });
  }

  async star(actor: Actor, boardId: string, starred: boolean): Promise<void> {
    await this.#readable(actor, boardId);
    if (actor.kind !== 'user') throw appError('auth.forbidden', 'Stars belong to people; sign in to set one');
    if (!(await this.#store.boards.star(actor.tenant_id, boardId, actor.user_id, starred)))
      throw noSuchBoard();
  }

  /** The last saves, newest first. */
  async versions(actor: Actor, boardId: string): Promise<BoardVersion[]> {
    await this.#readable(actor, boardId);
    const rows = await this.#store.boards.versions(actor.tenant_id, boardId);
    return rows.map((row) => ({
      version: row.version,
      saved_at: row.savedAt,
      user_id: row.userId,
      owner_name: row.ownerName,
    }));
  }

  /** The board as it was: its content and version, everything else of today. */
  async version(actor: Actor, boardId: string, version: number): Promise<Board> {
    const today = await this.#readable(actor, boardId);
    const then = await this.#store.boards.version(actor.tenant_id, boardId, version);
    // What was private then stays its owner's, though the board is shared today.
    if (then === undefined || (!then.content.shared && !this.#isOwn(actor, today)))
      throw appError('request.not_found', `Version ${version} of this board is not kept`);
    return { ...this.#board(actor, today), ...then.content, version, last_updated: then.savedAt };
  }

  /** A panel by its id, on the given board or on any that the actor sees. */
  async visualization(actor: Actor, visualizationId: string, boardId?: string): Promise<Visualization> {
    this.#require(actor, 'board.read');
    const row =
      boardId === undefined
        ? await this.#store.boards.findByPanel(actor.tenant_id, visualizationId, viewerOf(actor))
        : await this.#readable(actor, boardId);
    const panel = row?.content.panels.find((candidate) => candidate.visualization_id === visualizationId);
    if (row === undefined || panel === undefined)
      throw appError('request.not_found', 'There is no such visualization on a board that you see');
    return { board: this.#board(actor, row), panel };
  }

  async #readable(actor: Actor, boardId: string): Promise<BoardRow> {
    this.#require(actor, 'board.read');
    const row = await this.#store.boards.get(actor.tenant_id, boardId, viewerOf(actor));
    if (row === undefined) throw noSuchBoard();
    if (!this.#can(actor, 'board.read', objectOf(actor, row.userId, row.content.shared))) throw noSuchBoard();
    return row;
  }

  async #writable(actor: Actor, boardId: string): Promise<BoardRow> {
    const row = await this.#readable(actor, boardId);
    this.#require(actor, 'board.write', objectOf(actor, row.userId, row.content.shared));
    return row;
  }

  #require(actor: Actor, action: Parameters<Can>[1], object?: Parameters<Can>[2]): void {
    if (this.#can(actor, action, object)) return;
    throw appError(
      'auth.forbidden',
      action === 'board.read'
        ? 'This key does not read boards; use one with the scope "read"'
        : 'You may not change this board; ask its owner, or an administrator for the role of an editor',
    );
  }

  #tooLarge(): AppError {
    return appError(
      'request.too_large',
      `The boards of an organisation take ${Math.floor(this.#limits.bytes / mebibyte)} MiB at most; delete boards or panels that nobody needs`,
    );
  }

  #isOwn(actor: Actor, row: BoardRow): boolean {
    return actor.kind === 'operator' || (actor.kind === 'user' && actor.user_id === row.userId);
  }

  #board(actor: Actor, row: BoardRow): Board {
    return {
      ...row.content,
      board_id: row.boardId,
      user_id: row.userId,
      owner_name: row.ownerName,
      version: row.version,
      created_at: row.createdAt,
      last_updated: row.updatedAt,
      starred: row.starred,
      editable: this.#can(actor, 'board.write', objectOf(actor, row.userId, row.content.shared)),
    };
  }

  #summary(actor: Actor, row: BoardListRow): BoardSummary {
    return {
      board_id: row.boardId,
      title: row.title,
      description: row.description,
      user_id: row.userId,
      owner_name: row.ownerName,
      shared: row.shared,
      panel_count: row.panelCount,
      version: row.version,
      last_updated: row.updatedAt,
      starred: row.starred,
      editable: this.#can(actor, 'board.write', objectOf(actor, row.userId, row.shared)),
    };
  }
}

/** Whose own boards and stars count; programs have neither. */
function viewerOf(actor: Actor): string {
  return actor.kind === 'user' ? actor.user_id : '';
}

function objectOf(actor: Actor, userId: string, shared: boolean) {
  return { tenant_id: actor.tenant_id, user_id: userId, shared };
}

function noSuchBoard() {
  return appError('request.not_found', 'There is no such board, or it is not shared with you');
}

/** What the schema cannot know. Throws `request.invalid` or `query.invalid`, naming the panel. */
function checkContent(content: BoardContent): void {
  if (Buffer.byteLength(JSON.stringify(content)) > maxContentBytes)
    throw appError('request.too_large', `A board holds at most ${maxContentBytes / 1024} KiB; remove panels`);
  parseDuration(content.window);
  const ids = new Set<string>();
  for (const panel of content.panels) {
    const { visualization_id: id, layout, query, title } = panel;
    if (ids.has(id)) throw appError('request.invalid', `Two panels have the visualization_id "${id}"`);
    ids.add(id);
    if (layout.x + layout.w > gridColumns)
      throw appError(
        'request.invalid',
        `Panel "${title}" reaches beyond column ${gridColumns}; make it narrower`,
      );
    if (query.step !== undefined) parseStep(query.step);
    if (query.window !== undefined) parseDuration(query.window);
  }
}
