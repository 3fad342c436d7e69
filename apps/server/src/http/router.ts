import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Action, type Actor, appError, influxErrorBody } from '@nowcast/contract';
import type { Logger } from '../log.ts';
import type { BodyPool } from './body-pool.ts';
import type { HeldRoom } from './body-room.ts';
import { declaredLength, discardBody, hasBody, readBody, refuseDeclaredLength } from './body.ts';
import type { ClientInfo, ProxyTrust } from './client-address.ts';
import { type Gatekeeper, readCredential, readInfluxCredential } from './credentials.ts';
import { errorBody, errorStatus, publicError, retryAfterSeconds } from './errors.ts';
import { parseJson } from './json.ts';
import type { OwnOrigin } from './origin.ts';
import {
  type Access,
  type Answer,
  bodyCapBytes,
  type Call,
  jsonAnswer,
  type Route,
  smallBodyBytes,
} from './route.ts';
import type { RouteTable } from './route-table.ts';
import { validate } from './schema.ts';
import { plainPolicy, securityHeaders } from './security-headers.ts';
import { send } from './send.ts';

export interface RouterOptions {
  table: RouteTable;
  gatekeeper: Gatekeeper;
  proxies: ProxyTrust;
  origin: OwnOrigin;
  /** Memory of bodies. */
  bodies: BodyPool;
  /** Answers GETs that no route claims: the page and its files. */
  pages: (path: string, headers: IncomingMessage['headers'], query: URLSearchParams) => Answer;
  strictTransport: boolean;
  log: Logger;
  observe: (request: { method: string; path: string; status: number; seconds: number }) => void;
}

/** The state of one request on its way through the checks. */
interface Passage {
  request: IncomingMessage;
  response: ServerResponse;
  /** The sender waits for `100 Continue` before it sends the body. */
  waits: boolean;
  client: ClientInfo;
  url: URL;
  route: Route | undefined;
  /** Once it was read, when a form was posted. */
  form: URLSearchParams | undefined;
}

/** Who asks, where the route wants to know. */
interface Asking {
  actor: Actor | undefined;
  stillAllowed: () => Promise<boolean>;
}

/** A request that may be made, and for whose body there is room. */
interface Admitted {
  route: Route;
  params: Readonly<Record<string, string>>;
  asking: Asking;
  room: HeldRoom;
}

const anybody: Asking = { actor: undefined, stillAllowed: () => Promise.resolve(true) };

/** Pages whose form is sent to their own path. */
const pagesWithForms: ReadonlySet<string> = new Set(['/login']);

/**
 * Takes every request through the same steps, in this order: find the route → byte cap → foreign-page check →
 * who is it → may they → room for the body → read it → parse and validate → handler → answer. A step that fails ends the
 * passage with an error body; the handler only ever sees requests that passed all of them.
 */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse, waits = false): Promise<void> {
    const started = performance.now();
    const { proxies, strictTransport, observe, log } = this.#options;
    const client = proxies.read(request, 'encrypted' in request.socket);
    const url = requestUrl(request);
    const passage: Passage = { request, response, waits, client, url, route: undefined, form: undefined };
    let answer: Answer;
    try {
      answer = await this.#pass(passage);
    } catch (error) {
      answer = this.#failed(passage, error);
    }
    const headers = securityHeaders(strictTransport && client.secure);
    headers['Content-Security-Policy'] = plainPolicy;
    headers['Cache-Control'] = 'no-store';
    try {
      await send(request, response, answer, headers);
    } catch (error) {
      log.error('an answer broke off', { path: passage.route?.path ?? 'page', error });
      response.destroy();
    }
    const { status } = answer;
    const seconds = (performance.now() - started) / 1000;
    const path = passage.route?.path ?? 'page';
    observe({ method: request.method ?? '', path, status, seconds });
    // The pattern, not the address: addresses carry secrets (Influx's `p`) and names of people's things.
    log.debug('answered', { method: request.method, path, status, seconds, address: client.address });
  }

  async #pass(passage: Passage): Promise<Answer> {
    const { request, url } = passage;
    const { table, pages } = this.#options;
    const match = table.match(request.method ?? '', url.pathname);
    if (match.kind === 'found') {
      passage.route = match.route;
      return this.#serve(passage, match.route, match.params);
    }
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const capBytes = reads ? 0 : smallBodyBytes;
    refuseDeclaredLength(request, capBytes);
    if (!passage.waits) await discardBody(request, capBytes);
    if (match.kind === 'method' && !(reads && pagesWithForms.has(url.pathname))) {
      const allowed = match.allowed.join(', ');
      throw appError('request.method_not_allowed', `${url.pathname} takes ${allowed}`, {
        details: { allowed },
      });
    }
    if (!reads || url.pathname.startsWith('/api/')) {
      throw appError(
        'request.not_found',
        `there is nothing at ${url.pathname}; /api/docs lists the addresses`,
      );
    }
    return pages(url.pathname, request.headers, url.searchParams);
  }

  async #serve(passage: Passage, route: Route, params: Readonly<Record<string, string>>): Promise<Answer> {
    const { request } = passage;
    const capBytes = bodyCapBytes(route.body);
    refuseDeclaredLength(request, capBytes);
    let asking: Asking;
    let room: HeldRoom;
    try {
      if (route.method !== 'GET' && request.headers.authorization === undefined) {
        this.#options.origin.refuseForeign(request.headers, passage.client);
      }
      asking = await this.#authorise(route, passage);
      const { pointsRoom, otherRoom } = this.#options.bodies;
      const rooms = route.body.kind === 'bytes' ? pointsRoom : otherRoom;
      room = rooms.enter(asking.actor?.tenant_id ?? '', declaredLength(request));
    } catch (error) {
      // The cap outranks the refusal: a sender without rights may not stream without end either.
      if (!passage.waits) await discardBody(request, capBytes);
      throw error;
    }
    try {
      return await this.#answer(passage, { route, params, asking, room });
    } finally {
      room.leave();
    }
  }

  async #answer(passage: Passage, { route, params, asking, room }: Admitted): Promise<Answer> {
    const { request, response, client, url, waits } = passage;
    if (waits) response.writeContinue();
    const body = await readTyped(route, passage, this.#options.bodies, room);
    const call: Omit<Call, keyof Asking> = {
      params,
      query: url.searchParams,
      headers: request.headers,
      body,
      form: passage.form,
      client,
      signal: closeSignal(response),
      request,
      response,
    };
    return route.handle({ ...call, ...asking } as Call);
  }

  /** Who it is, when the route needs to know; throws `auth.required` or `auth.forbidden`. */
  async #authorise(route: Route, passage: Passage): Promise<Asking> {
    const { request, client, url } = passage;
    const action = neededAction(route.access, client, this.#options.origin);
    if (action === undefined) return anybody;
    const { gatekeeper } = this.#options;
    const credential =
      (route.influxCredentials === true
        ? readInfluxCredential(request.headers, url.searchParams)
        : undefined) ?? readCredential(request.headers, client.secure);
    const identify = async (): Promise<Actor | undefined> =>
      credential === undefined ? undefined : (await gatekeeper.identify(credential))?.actor;
    const actor = await identify();
    if (actor === undefined) {
      throw appError(
        'auth.required',
        credential === undefined
          ? 'sign in, or send an API key as "Authorization: Bearer nk_…"'
          : 'this key or session is not valid (any more); sign in again or make a new key',
      );
    }
    if (!gatekeeper.can(actor, action)) {
      const who = actor.kind === 'user' ? `the role ${actor.role}` : 'this key';
      throw appError(
        'auth.forbidden',
        `${who} may not do this (${action}); ask an admin of your organisation`,
      );
    }
    const stillAllowed = async (): Promise<boolean> => {
      const now = await identify();
      return now !== undefined && gatekeeper.can(now, action);
    };
    return { actor, stillAllowed };
  }

  #failed(passage: Passage, thrown: unknown): Answer {
    const { request, route, url } = passage;
    const error = publicError(thrown);
    const status = errorStatus(error);
    if (status >= 500) {
      this.#options.log.error('a request failed', {
        method: request.method,
        path: route?.path ?? 'page',
        error: thrown,
      });
    }
    if (route?.formError !== undefined && isForm(request))
      return route.formError(error.code, { form: passage.form, query: url.searchParams });
    const headers: Record<string, string> = {};
    const retryAfter = retryAfterSeconds(error);
    if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter);
    if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
    const allowed = error.details?.['allowed'];
    if (status === 405 && typeof allowed === 'string') headers['Allow'] = allowed;
    const body =
      route?.influxCredentials === true ? influxErrorBody(status, error.message) : errorBody(error);
    return jsonAnswer(status, body, headers);
  }
}

function neededAction(access: Access, client: ClientInfo, origin: OwnOrigin): Action | undefined {
  if (access === 'public') return undefined;
  if (typeof access === 'string') return access;
  // A page whose name was re-pointed at this machine makes the browser connect from here too.
  return client.loopback && origin.ownsHost(client.host) ? undefined : access.loopbackOr;
}

async function readTyped(route: Route, passage: Passage, bodies: BodyPool, room: HeldRoom): Promise<unknown> {
  const { request } = passage;
  const { body: spec } = route;
  const bytes = await readBody(request, bodyCapBytes(spec), bodies, room);
  if (spec.kind === 'bytes') return bytes;
  if (spec.kind === 'none') return undefined;
  if (spec.form === true && isForm(request)) {
    passage.form = new URLSearchParams(Buffer.from(bytes).toString('utf8'));
    const fields = Object.fromEntries([...passage.form].filter(([name]) => name !== 'next'));
    return validate(spec.schema, fields, 'request.invalid');
  }
  const type = mediaType(request);
  if (type !== 'application/json' || (!hasBody(request) && bytes.length === 0)) {
    throw appError('request.unsupported_media_type', 'send JSON with "Content-Type: application/json"');
  }
  return validate(spec.schema, parseJson(bytes), 'request.invalid');
}

function isForm(request: IncomingMessage): boolean {
  return mediaType(request) === 'application/x-www-form-urlencoded';
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A request target may be anything; what is not a path is treated as one that does not exist. */
function requestUrl(request: IncomingMessage): URL {
  const base = 'http://server.invalid';
  const target = request.url ?? '/';
  const own = target.startsWith('/') ? `${base}${target}` : `${base}/`;
  return URL.parse(own) ?? new URL(base);
}

function closeSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
