import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { appError, errorEntry } from '@nowcast/contract';
import { AppError } from '@nowcast/kernel';

/** Where the API is: on the network, or a socket file of this machine. */
export type ApiPlace = { url: URL } | { socketPath: string };

export interface ApiRequest {
  method: 'GET' | 'POST';
  /** Path and query. */
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: Uint8Array;
  /** Nothing may come for as long as it likes. */
  mayBeSilent?: boolean;
}

export interface ApiAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** A peer that says nothing for so long is gone. */
const silenceMs = 120_000;

/** Calls the server's own API for a command; one connection, kept open. */
export class ApiClient {
  readonly #place: ApiPlace;
  readonly #agent: http.Agent;
  /** Bearer token; empty: none. */
  token = '';

  constructor(place: ApiPlace) {
    this.#place = place;
    const options = { keepAlive: true, maxSockets: 2 };
    const secure = 'url' in place && place.url.protocol === 'https:';
    this.#agent = secure ? new https.Agent(options) : new http.Agent(options);
  }

  /** Resolves with whatever status. Rejects with `server.unavailable` when there is no answer at all. */
  async send(request: ApiRequest): Promise<ApiAnswer> {
    const response = await this.open(request);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch (cause) {
      throw this.#unreachable(cause);
    }
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: Buffer.concat(chunks).toString('utf8'),
    };
  }

  /** The answer's JSON. Rejects with the server's own error when it refuses. */
  async json(request: ApiRequest): Promise<unknown> {
    return jsonOf(await this.send(request));
  }

  /** The answer as it comes. */
  open({ method, path, headers = {}, body, mayBeSilent = false }: ApiRequest): Promise<IncomingMessage> {
    const authorization = this.token === '' ? {} : { authorization: `Bearer ${this.token}` };
    const length = method === 'GET' ? {} : { 'content-length': body?.length ?? 0 };
    const options = {
      method,
      path,
      headers: { ...length, ...authorization, ...headers },
      agent: this.#agent,
      timeout: mayBeSilent ? 0 : silenceMs,
    };
    return new Promise((resolve, reject) => {
      const place = this.#place;
      const started =
        'socketPath' in place
          ? http.request({ ...options, socketPath: place.socketPath, host: 'localhost' })
          : (place.url.protocol === 'https:' ? https : http).request(place.url, {
              ...options,
              path: `${place.url.pathname.replace(/\/$/, '')}${path}`,
            });
      started.once('response', resolve);
      started.once('timeout', () => started.destroy(new Error('it does not answer')));
      started.once('error', (cause) => reject(this.#unreachable(cause)));
      started.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #unreachable(cause: unknown): AppError {
    const place = this.#place;
    const where = 'url' in place ? place.url.origin : `the server behind ${place.socketPath}`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return appError('server.unavailable', `${where} cannot be reached: ${reason}`, { cause });
  }
}

/** An answer's JSON. Throws the server's own error when it refuses. */
export function jsonOf(answer: ApiAnswer): unknown {
  if (answer.status >= 300) throw refusalOf(answer);
  try {
    return JSON.parse(answer.text);
  } catch (cause) {
    const start = answer.text.slice(0, 200);
    throw appError('server.error', `the server answered with something else than JSON: ${start}`, { cause });
  }
}

/** The error a failed answer carries, in the server's own words where it has any. */
export function refusalOf({ status, headers: { location }, text }: ApiAnswer): AppError {
  const found = wordsOf(text);
  if (found === undefined) {
    const what = location === undefined ? text.slice(0, 200) : `it is at ${location}`;
    return appError('server.error', `the server answered ${status}: ${what}`);
  }
  const { code, message } = found;
  return new AppError(code, message, { retryable: errorEntry(code).retryable });
}

/** Ours, `{error: {code, message}}`, or the form for Influx's clients, `{code, message}`. */
function wordsOf(text: string): { code: string; message: string } | undefined {
  try {
    const body = JSON.parse(text) as { error?: unknown; message?: unknown };
    const words = (typeof body.error === 'object' && body.error !== null ? body.error : body) as {
      code?: unknown;
      message?: unknown;
    };
    if (typeof words.code === 'string' && typeof words.message === 'string')
      return { code: words.code, message: words.message };
  } catch {
    // Not one of ours: a proxy's page, or another program on that port.
  }
  return undefined;
}
