import { appError, boardContentSchema, saveBoardSchema } from '@nowcast/contract';
import type { DashboardService } from '@nowcast/dashboards';
import * as z from 'zod/mini';
import { emptyAnswer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';

const boardBytes = 1024 * 1024;
const createSchema = z.strictObject({ content: boardContentSchema });
const starSchema = z.strictObject({ starred: z.boolean() });

/** Boards and their versions. Who may see or change which one is the dashboards domain's decision. */
export function boardRoutes(boards: DashboardService): Route[] {
  return [...collectionRoutes(boards), ...boardItemRoutes(boards), ...versionRoutes(boards)];
}

function collectionRoutes(boards: DashboardService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/boards',
        access: 'board.read',
        body: noBody,
        summary: 'List own and shared boards',
        answers: { 200: '{boards: BoardSummary[]}' },
      },
      async (call) => jsonAnswer(200, { boards: await boards.list(call.actor) }),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/boards',
        access: 'board.write',
        body: jsonBody(createSchema, boardBytes),
        summary: 'Make a board',
        answers: { 201: 'Board' },
      },
      async (call) => jsonAnswer(201, await boards.create(call.actor, call.body.content)),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/boards/:board_id/duplicate',
        access: 'board.write',
        body: noBody,
        summary: 'Copy a board; the copy is private',
        answers: { 201: 'Board' },
      },
      async (call) => jsonAnswer(201, await boards.duplicate(call.actor, call.params['board_id'] ?? '')),
    ),
  ];
}

function boardItemRoutes(boards: DashboardService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/boards/:board_id',
        access: 'board.read',
        body: noBody,
        summary: 'Read a board',
        answers: { 200: 'Board' },
      },
      async (call) => jsonAnswer(200, await boards.get(call.actor, call.params['board_id'] ?? '')),
    ),
    route(
      {
        method: 'PUT',
        path: '/api/v1/boards/:board_id',
        access: 'board.write',
        body: jsonBody(saveBoardSchema, boardBytes),
        summary: 'Save a board as its next version',
        answers: {
          200: 'Board',
          409: 'Somebody saved meanwhile; details.version says which version is there',
        },
      },
      async (call) =>
        jsonAnswer(200, await boards.save(call.actor, call.params['board_id'] ?? '', call.body)),
    ),
    route(
      {
        method: 'DELETE',
        path: '/api/v1/boards/:board_id',
        access: 'board.write',
        body: noBody,
        summary: 'Delete a board with its versions',
        answers: { 204: 'Deleted' },
      },
      async (call) => {
        await boards.delete(call.actor, call.params['board_id'] ?? '');
        return emptyAnswer();
      },
    ),
    route(
      {
        method: 'PUT',
        path: '/api/v1/boards/:board_id/star',
        access: 'board.read',
        body: jsonBody(starSchema),
        summary: 'Star a board, or take the star away',
        answers: { 204: 'Done' },
      },
      async (call) => {
        await boards.star(call.actor, call.params['board_id'] ?? '', call.body.starred);
        return emptyAnswer();
      },
    ),
  ];
}

function versionRoutes(boards: DashboardService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/boards/:board_id/versions',
        access: 'board.read',
        body: noBody,
        summary: 'List the saved versions of a board, newest first',
        answers: { 200: '{versions: BoardVersion[]}' },
      },
      async (call) => {
        const versions = await boards.versions(call.actor, call.params['board_id'] ?? '');
        return jsonAnswer(200, { versions });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/boards/:board_id/versions/:version',
        access: 'board.read',
        body: noBody,
        summary: 'Read a board as it was',
        answers: { 200: 'Board' },
      },
      async (call) => {
        const version = readVersion(call.params['version'] ?? '');
        return jsonAnswer(200, await boards.version(call.actor, call.params['board_id'] ?? '', version));
      },
    ),
  ];
}

function readVersion(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw appError('request.invalid', `"${text}" is not a version; write its number`);
}
