import type { AccessService } from '@nowcast/access';
import { createKeySchema } from '@nowcast/contract';
import { emptyAnswer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';

/** API keys. */
export function keyRoutes(access: AccessService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/keys',
        access: 'key.read',
        body: noBody,
        summary: 'List API keys',
        answers: { 200: '{keys: ApiKey[]}; an empty created_by_name is somebody who was removed' },
      },
      async (call) => jsonAnswer(200, { keys: await access.keys.list(call.actor) }),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/keys',
        access: 'key.manage',
        body: jsonBody(createKeySchema),
        summary: 'Make an API key; its secret is in this answer only',
        answers: { 201: 'ApiKey with secret' },
      },
      async (call) => jsonAnswer(201, await access.keys.create(call.actor, call.body)),
    ),
    route(
      {
        method: 'DELETE',
        path: '/api/v1/keys/:key_id',
        access: 'key.manage',
        body: noBody,
        summary: 'Delete an API key; what uses it stops at once',
        answers: { 204: 'Deleted' },
      },
      async (call) => {
        await access.keys.delete(call.actor, call.params['key_id'] ?? '');
        return emptyAnswer();
      },
    ),
  ];
}
