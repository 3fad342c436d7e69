import type { AccessService } from '@nowcast/access';
import { createUserSchema, updateUserSchema } from '@nowcast/contract';
import { emptyAnswer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';
import { sessionCookieOf } from './session-cookies.ts';

/** People of the organisation. */
export function userRoutes(access: AccessService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/users',
        access: 'user.read',
        body: noBody,
        summary: 'List the people of the organisation',
        answers: { 200: '{users: User[]}' },
      },
      async (call) => jsonAnswer(200, { users: await access.members.list(call.actor) }),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/users',
        access: 'user.manage',
        body: jsonBody(createUserSchema),
        summary: 'Add a person',
        answers: { 201: 'User', 409: 'The address or username is taken' },
      },
      async (call) => jsonAnswer(201, await access.members.create(call.actor, call.body)),
    ),
    route(
      {
        method: 'PATCH',
        path: '/api/v1/users/:user_id',
        access: 'user.manage',
        body: jsonBody(updateUserSchema),
        summary: 'Change role or name, disable or enable',
        answers: { 200: 'User' },
      },
      async (call) => {
        const userId = call.params['user_id'] ?? '';
        const agent = call.headers['user-agent'];
        const { user, session } = await access.members.update(call.actor, userId, call.body, agent);
        // Who changes their own role goes on with a new session.
        const headers = session === undefined ? {} : { 'Set-Cookie': sessionCookieOf(call.client, session) };
        return jsonAnswer(200, user, headers);
      },
    ),
    route(
      {
        method: 'DELETE',
        path: '/api/v1/users/:user_id',
        access: 'user.manage',
        body: noBody,
        summary: 'Remove a person from the organisation',
        answers: { 204: 'Removed' },
      },
      async (call) => {
        await access.members.remove(call.actor, call.params['user_id'] ?? '');
        return emptyAnswer();
      },
    ),
  ];
}
