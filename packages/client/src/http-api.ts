import {
  type Condition,
  type DataAnswer,
  type ErrorBody,
  type LoginAnswer,
  type QueryInput,
  type ServerInfo,
  type User,
  appError,
  conditionsOf,
} from '@nowcast/contract';
import { AppError } from '@nowcast/kernel';

/** What is used of `fetch`. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpApiOptions {
  /** Address of the server with its path prefix, if it has one. */
  url: string;
  /** Session token; in a browser the cookie does it. `login` sets it. */
  token?: string;
  fetch?: FetchLike;
}

export interface CallOptions {
  /** Sent as JSON. */
  body?: unknown;
  parameters?: URLSearchParams;
  signal?: AbortSignal;
}

/**
 * The REST API for programs: JSON in, JSON out, and every refusal as the `AppError` that the server meant, with the
 * HTTP status in `details.status`. A server that cannot be reached is `server.unavailable`, retryable.
 */
export class HttpApi {
  readonly #url: URL;
  readonly #fetch: FetchLike;
  #token: string | undefined;

  constructor(options: HttpApiOptions) {
    this.#url = baseUrl(options.url);
    this.#token = options.token;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  /** The session token, for a `LiveClient`. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Signs in and uses the token from now on. `login` is an e-mail address or a username. */
  async login(login: string, password: string): Promise<LoginAnswer> {
    const answer = await this.call<LoginAnswer>('POST', '/login', { body: { login, password } });
    this.#token = answer.token;
    return answer;
  }

  async logout(): Promise<void> {
    await this.call<void>('POST', '/logout');
    this.#token = undefined;
  }

  info(): Promise<ServerInfo> {
    return this.call('GET', '/api/v1/info');
  }

  me(): Promise<User> {
    return this.call('GET', '/api/v1/me');
  }

  data(query: QueryInput, signal?: AbortSignal): Promise<DataAnswer> {
    return this.call('GET', '/data', {
      parameters: queryParameters(query),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Any route: `path` is absolute. Resolves with undefined for an answer without a body. */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const url = new URL(this.#url.href);
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    url.search = options.parameters?.toString() ?? '';
    const headers: Record<string, string> = { accept: 'application/json' };
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    const response = await this.#request(url, {
      method,
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text);
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw appError(
        'server.error',
        `${method} ${path} answered what is not JSON: is ${url.origin} Nowcast?`,
        {
          cause,
        },
      );
    }
  }

  async #request(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url.href, init);
    } catch (cause) {
      if (init.signal?.aborted === true)
        throw appError('request.cancelled', 'the call was cancelled', { cause });
      throw appError(
        'server.unavailable',
        `${url.origin} cannot be reached: check the address and the network`,
        {
          cause,
        },
      );
    }
  }
}

/** The `AppError` of a refused call; a body that is not ours (a proxy's page, say) gives one by the status. */
export function refusal(status: number, text: string): AppError {
  const error = parseError(text);
  if (error !== undefined) {
    const { code, message, retryable } = error;
    return new AppError(code, message, { retryable, details: { ...error.details, status } });
  }
  const retryable = mayRepeat(status);
  const code = retryable ? 'server.unavailable' : 'request.invalid';
  return new AppError(code, `the server answered ${status}: ${text.slice(0, 200)}`, {
    retryable,
    details: { status },
  });
}

/** Whether the same request may be sent again: it was not decided on. */
export function mayRepeat(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function parseError(text: string): ErrorBody['error'] | undefined {
  try {
    const { error } = JSON.parse(text) as Partial<ErrorBody>;
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** Throws `request.invalid` unless the address is a whole http(s) one. */
export function baseUrl(address: string): URL {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw appError(
      'request.invalid',
      `url: write a whole address such as https://example.com, not "${address}"`,
    );
  return new URL(address);
}

/**
 * A query as the parameters of `GET /data` and of the event stream of `GET /updates`: scalars by name, one `group_by`
 * and one `where` for each condition on a label. `where=host:a|b`, `host:!a|b`, `host:~regex`, `host:!~regex`; in names and values,
 * not in regular expressions, a backslash escapes `|`, `:`, `!`, `~` and itself; in `group_by` the comma and itself.
 */
export function queryParameters(query: QueryInput): URLSearchParams {
  const { group_by: groupBy, where, ...scalars } = query;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(scalars))
    if (value !== undefined) parameters.set(name, String(value));
  for (const label of groupBy ?? [])
    parameters.append('group_by', label.replaceAll(/[\\,]/g, String.raw`\$&`));
  for (const [label, matcher] of Object.entries(where ?? {}))
    for (const condition of conditionsOf(matcher))
      parameters.append('where', `${escapeText(label)}:${conditionText(condition)}`);
  return parameters;
}

function conditionText(condition: Condition): string {
  if (Array.isArray(condition)) return condition.map(escapeText).join('|');
  if ('not' in condition) return `!${condition.not.map(escapeText).join('|')}`;
  if ('regex' in condition) return `~${condition.regex}`;
  return `!~${condition.not_regex}`;
}

function escapeText(text: string): string {
  return text.replaceAll(/[\\|:!~]/g, String.raw`\$&`);
}
