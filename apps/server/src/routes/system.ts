import { hostname } from 'node:os';
import type { AccessService } from '@nowcast/access';
import { type Actor, type ServerInfo, setupSchema } from '@nowcast/contract';
import { escapeHtml } from '../http/pages.ts';
import { type Answer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';
import { docsPage, docsPolicy, openApiDocument } from './openapi.ts';
import { loginOrigin, signInHeaders } from './session-cookies.ts';

export interface SystemOptions {
  access: AccessService;
  version: string;
  publicUrl: () => string;
  /** Why the server should get no traffic now; undefined: it may. */
  notReady: () => string | undefined;
  /** What does not work although it may get traffic; undefined: everything does. */
  degraded: () => string | undefined;
  metrics: () => Promise<string>;
  /** Makes the first board of a new organisation; resolves to its id. */
  firstBoard: (owner: Actor) => Promise<string>;
  /** All routes of the server, for the description of the API. */
  routes: () => readonly Route[];
}

/** What concerns the installation: first run, health, figures, the description of the API. */
export function systemRoutes(options: SystemOptions): Route[] {
  return [...setupRoutes(options), ...healthRoutes(options), ...descriptionRoutes(options)];
}

function setupRoutes({ access, version, publicUrl, firstBoard }: SystemOptions): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/info',
        access: 'public',
        body: noBody,
        summary: 'What a page must know before anybody is signed in',
        answers: { 200: 'ServerInfo' },
      },
      async () => {
        const info: ServerInfo = {
          version,
          setup_required: await access.logins.setupRequired(),
          host_name: hostname(),
          public_url: publicUrl(),
        };
        return jsonAnswer(200, info);
      },
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/setup',
        access: 'public',
        body: jsonBody(setupSchema),
        summary: 'First run: make the organisation and its owner with the token of the setup link',
        answers: { 200: 'LoginAnswer with board_id, and the session cookie', 404: 'It is set up already' },
      },
      async (call) => {
        const result = await access.logins.setup(call.body, loginOrigin(call));
        const board_id = await firstBoard(result.session.actor);
        return jsonAnswer(200, { ...result.answer, board_id }, signInHeaders(call.client, result));
      },
    ),
  ];
}

function healthRoutes({ notReady, degraded, metrics }: SystemOptions): Route[] {
  const text = { 'Content-Type': 'text/plain; charset=utf-8' };
  return [
    route(
      {
        method: 'GET',
        path: '/healthz',
        access: 'public',
        body: noBody,
        summary: 'Whether the process is alive',
        answers: { 200: 'ok' },
      },
      () => ({ status: 200, headers: text, body: 'ok\n' }),
    ),
    route(
      {
        method: 'GET',
        path: '/readyz',
        access: 'public',
        body: noBody,
        summary: 'Whether it should get traffic',
        answers: {
          200: 'ready, and in further lines what does not work for now (history, while the warehouse is gone; alert rules, while a clock that was set back catches up)',
          503: 'Starting, stopping, or nothing is acknowledged until a restart',
        },
      },
      () => {
        const why = notReady();
        return why === undefined
          ? { status: 200, headers: text, body: readyText(degraded()) }
          : { status: 503, headers: { ...text, 'Retry-After': '1' }, body: `${why}\n` };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/metrics',
        access: { loopbackOr: 'system.read' },
        body: noBody,
        summary:
          'Figures of the server for Prometheus; from this machine without a session, unless its public URL leads elsewhere',
        answers: { 200: 'Prometheus text' },
      },
      async () => ({
        status: 200,
        headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await metrics(),
      }),
    ),
  ];
}

function readyText(missing: string | undefined): string {
  return missing === undefined ? 'ready\n' : `ready\n${missing}\n`;
}

/** Public, and some work to make: made once, when somebody first asks. */
function descriptionRoutes({ routes, version }: SystemOptions): Route[] {
  let document: Answer | undefined;
  let page: string | undefined;
  return [
    route({ method: 'GET', path: '/api/openapi.json', access: 'public', body: noBody }, () => {
      document ??= jsonAnswer(200, openApiDocument(routes(), version));
      return document;
    }),
    route({ method: 'GET', path: '/api/docs', access: 'public', body: noBody }, () => {
      page ??= docsPage(routes(), version, escapeHtml);
      return {
        status: 200,
        headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': docsPolicy },
        body: page,
      };
    }),
  ];
}
