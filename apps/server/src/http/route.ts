import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Action, Actor } from '@nowcast/contract';
import type { Infer, Schema } from './schema.ts';
import type { ClientInfo } from './client-address.ts';

/**
 * A route says everything the router, the security tests and the OpenAPI document need to know about it: who may
 * call it, what body it takes and how large. There is no other way to serve a request.
 */
export type BodySpec =
  | { kind: 'none' }
  /** JSON by a schema; with `form` also the URL-encoded form of a page that works without JavaScript. */
  | { kind: 'json'; schema: Schema; capBytes: number; form?: boolean }
  /** Whatever comes, uninterpreted. */
  | { kind: 'bytes'; capBytes: number };

/** `public`: nobody needs to be signed in. `loopback`: the same, but only from this machine; else the action. */
export type Access = 'public' | Action | { loopbackOr: Action };

type BodyOf<B extends BodySpec> = B extends { kind: 'json'; schema: infer S }
  ? Infer<S>
  : B extends { kind: 'bytes' }
    ? Uint8Array<ArrayBuffer>
    : undefined;

/** One request, after the router has checked it. */
export interface Call<B = unknown, A = Actor> {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: B;
  /** All fields, when the body came as a form: then the answer is a page or a redirect, not JSON. */
  form: URLSearchParams | undefined;
  actor: A;
  /** Looks up again whether they may do this: for answers that go on for long (C2). */
  stillAllowed: () => Promise<boolean>;
  client: ClientInfo;
  /** Aborted when the peer goes before the answer is complete. */
  signal: AbortSignal;
  request: IncomingMessage;
  response: ServerResponse;
}

/** What a handler answers. `write` streams the body itself and ends the response. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string | string[]>>;
  body?: string | Uint8Array;
  write?: (response: ServerResponse) => Promise<void> | void;
}

/** What a query parameter means; `repeated`: it may be given several times. */
export type ParameterDoc = string | { text: string; required?: true; repeated?: true };

export interface RouteInfo {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/boards/:board_id`; a parameter is one segment. */
  path: string;
  access: Access;
  body: BodySpec;
  /** Also Influx's ways to present a key, besides cookie and bearer. */
  influxCredentials?: boolean;
  /** One line for the OpenAPI document; absent: not part of the public API. */
  summary?: string;
  /** Status → what it means, for the OpenAPI document. */
  answers?: Readonly<Record<number, string>>;
  /** Query parameters: name → meaning. */
  parameters?: Readonly<Record<string, ParameterDoc>>;
  /** Where a failed form leads; the code is one of the registry. */
  formError?: (code: string, sent: Pick<Call, 'form' | 'query'>) => Answer;
}

export interface Route extends RouteInfo {
  handle(call: Call): Promise<Answer> | Answer;
}

type ActorOf<R extends RouteInfo> = R['access'] extends Action ? Actor : Actor | undefined;

/** Ties the type of `call.body` and `call.actor` to what the route says about itself. */
export function route<const R extends RouteInfo>(
  info: R,
  handle: (call: Call<BodyOf<R['body']>, ActorOf<R>>) => Promise<Answer> | Answer,
): Route {
  return { ...info, handle: handle as Route['handle'] };
}

/** Body cap of routes that take a small JSON document. */
export const smallBodyBytes = 64 * 1024;

export const noBody = { kind: 'none' } as const;

export function jsonBody<const S extends Schema>(schema: S, capBytes = smallBodyBytes) {
  return { kind: 'json', schema, capBytes } as const;
}

/** Largest body the router reads for a route. */
export function bodyCapBytes(body: BodySpec): number {
  return body.kind === 'none' ? 0 : body.capBytes;
}

export function jsonAnswer(status: number, value: unknown, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function emptyAnswer(headers: Answer['headers'] = {}): Answer {
  return { status: 204, headers };
}

/** 303 to a path of this server; anything that could lead elsewhere becomes `/` (C10). */
export function redirectAnswer(path: string, headers: Answer['headers'] = {}): Answer {
  return { status: 303, headers: { Location: ownPath(path), ...headers } };
}

/**
 * The path when it stays on this origin, else `/`. A browser reads `//host`, `/\host` and control characters in ways
 * a prefix test does not see, so the check is what the browser does: resolve, compare the origin, keep the rest.
 */
export function ownPath(path: string): string {
  const base = 'http://own.invalid';
  if (!path.startsWith('/') || !URL.canParse(path, base)) return '/';
  const url = new URL(path, base);
  if (url.origin !== base) return '/';
  const own = url.pathname + url.search + url.hash;
  // `/.//evil.example` resolves to the path `//evil.example`, which the browser would resolve once more.
  return own.startsWith('//') ? '/' : own;
}
