import { lookup } from 'node:dns/promises';
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect as tcpConnect, isIP, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { appError } from '@nowcast/contract';
import { type AppError, isAppError } from '@nowcast/kernel';
import { addressBytes } from './ip-address.ts';
import { bareHost, PrivateDestinations } from './private-destinations.ts';
import { isPublicAddress } from './public-address.ts';

/**
 * HTTP to addresses that users name: webhooks, push services, sources that are polled, identity providers. Whoever may
 * name one could otherwise make this server speak to its own network (SSRF). Checking the name first and fetching it
 * then is the obvious answer and fails: the name may resolve to something else the second time (rebinding), and a
 * public host may redirect to a private one. So:
 *
 *   name ─► resolve once ─► every address public, or opened by the operator? ─► dial one of exactly these ─► TLS for
 *   the name over that socket ─► one request ─► one answer, redirects handed back as they are, body cut at a cap
 *
 * No connection is reused, no proxy of the environment is heard, and one deadline covers everything from resolving to
 * the last byte. Throws `outgoing.refused` (final: the destination itself is wrong) or `outgoing.failed` (retryable),
 * with a message that names the host and nothing else of the URL: paths and queries of webhooks are secrets.
 */
export class GuardedHttp {
  readonly #open: PrivateDestinations;
  readonly #openedBy: string;
  readonly #options: GuardedHttpOptions;
  readonly #resolve: (hostname: string) => Promise<readonly string[]>;

  constructor(options: GuardedHttpOptions) {
    this.#options = options;
    this.#openedBy = options.openedBy ?? '--allow-private-destinations';
    this.#open = new PrivateDestinations(options.allowPrivate, this.#openedBy);
    this.#resolve = options.resolve ?? resolveAll;
  }

  async request(request: GuardedRequest): Promise<GuardedResponse> {
    const { connectMs = 5000, totalMs = 10_000 } = this.#options;
    const url = parseUrl(request.url);
    const timeout = AbortSignal.timeout(totalMs);
    const deadline = AbortSignal.any([request.signal, timeout]);
    let socket: Socket | undefined;
    try {
      const addresses = await this.#checkedAddresses(url, request.secureOnly === true, deadline);
      socket = await this.#connect(url, addresses, connectMs, deadline);
      return await exchange(url, socket, request, deadline);
    } catch (error) {
      if (isAppError(error)) throw error;
      if (request.signal.aborted) throw appError('request.cancelled', 'the attempt was cancelled');
      if (timeout.aborted) throw failed(`${url.host} did not answer within ${totalMs / 1000} s`, error);
      throw describe(url, error);
    } finally {
      socket?.destroy();
    }
  }

  /** All addresses of the name, or none: one private address among public ones refuses the whole. */
  async #checkedAddresses(url: URL, secureOnly: boolean, deadline: AbortSignal): Promise<readonly string[]> {
    const hostname = bareHost(url);
    const addresses = isIP(hostname) === 0 ? await raced(this.#resolve(hostname), deadline) : [hostname];
    if (addresses.length === 0) throw failed(`${hostname} has no address`);
    for (const address of addresses) {
      const bytes = addressBytes(address);
      const opened = bytes !== undefined && this.#open.opens(hostname, portOf(url), bytes);
      if (opened) continue;
      if (bytes === undefined || !isPublicAddress(bytes)) {
        throw refused(
          `${hostname} is not on the public internet; the operator can open it with ${this.#openedBy} ${url.host}`,
        );
      }
      if (secureOnly && url.protocol !== 'https:') throw refused(`write https:// before ${url.host}`);
    }
    return addresses;
  }

  async #connect(
    url: URL,
    addresses: readonly string[],
    connectMs: number,
    deadline: AbortSignal,
  ): Promise<Socket> {
    let problem: unknown;
    for (const address of addresses.slice(0, maxDialled)) {
      const timeout = AbortSignal.timeout(connectMs);
      try {
        return await this.#dial(url, address, AbortSignal.any([deadline, timeout]));
      } catch (error) {
        if (deadline.aborted) throw error;
        problem = timeout.aborted ? failed(`${url.host} cannot be reached: no answer`, error) : error;
      }
    }
    throw problem;
  }

  async #dial(url: URL, address: string, signal: AbortSignal): Promise<Socket> {
    const tcp = tcpConnect({ host: address, port: portOf(url) });
    await ready(tcp, 'connect', signal);
    tcp.setNoDelay(true);
    if (url.protocol === 'http:') return tcp;
    const hostname = bareHost(url);
    const tls = tlsConnect({
      socket: tcp,
      host: hostname,
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
    });
    try {
      await ready(tls, 'secureConnect', signal);
    } catch (error) {
      tcp.destroy();
      throw error;
    }
    return tls;
  }
}

export interface GuardedHttpOptions {
  /** Private hosts and networks that may be reached all the same: `hooks.lan:8080`, `10.0.0.0/8`. */
  allowPrivate: readonly string[];
  /** The option that has them, named where one is missing or wrong (`--allow-private-destinations` by default). */
  openedBy?: string;
  /** Time for one address to accept, TLS included, ms (default 5,000). */
  connectMs?: number;
  /** Time for everything, ms (default 10,000). */
  totalMs?: number;
  /** Authorities (PEM) instead of the built-in ones. */
  ca?: string;
  /** All addresses of a name; the system's resolver by default. */
  resolve?: (hostname: string) => Promise<readonly string[]>;
}

export interface GuardedRequest {
  /** http or https. */
  url: string;
  method: 'GET' | 'POST';
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
  signal: AbortSignal;
  /** Bytes of the answer's body that are kept; the rest is not read. */
  maxBytes: number;
  /** `failures`: the body of a 2xx answer is not waited for. */
  read: 'all' | 'failures';
  /** Plain HTTP only to hosts that the operator opened. */
  secureOnly?: boolean;
}

export interface GuardedResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The body is longer than `maxBytes` and was cut there. */
  truncated: boolean;
}

const maxDialled = 4;
const maxHeaderBytes = 32 * 1024;

async function resolveAll(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

/** Throws `outgoing.refused` for what is no http(s) URL. The message does not repeat it. */
export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refused('the address is not a URL; write for example https://hooks.example.com/alerts');
  }
  return url;
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function exchange(
  url: URL,
  socket: Socket,
  request: GuardedRequest,
  deadline: AbortSignal,
): Promise<GuardedResponse> {
  return new Promise((resolve, reject) => {
    // With `createConnection` and no agent, nothing is pooled and no proxy is looked up.
    const call = httpRequest({
      createConnection: () => socket,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: headersOf(url, request),
      maxHeaderSize: maxHeaderBytes,
      signal: deadline,
    });
    call.on('error', reject);
    call.on('response', (response) => {
      readAnswer(response, request).then(resolve, reject);
    });
    call.end(request.body);
  });
}

function headersOf(url: URL, request: GuardedRequest): Record<string, string> {
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    Host: url.host,
    'User-Agent': 'Nowcast',
    'Accept-Encoding': 'identity',
    Connection: 'close',
    ...(login === ':' ? {} : { Authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
    ...(request.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(request.body)) }),
    ...request.headers,
  };
}

async function readAnswer(response: IncomingMessage, request: GuardedRequest): Promise<GuardedResponse> {
  const status = response.statusCode ?? 0;
  const { headers } = response;
  const chunks: Buffer[] = [];
  let size = 0;
  if (request.read === 'all' || status < 200 || status > 299) {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > request.maxBytes) break;
    }
  }
  response.destroy();
  const body = Buffer.concat(chunks).subarray(0, request.maxBytes);
  return { status, headers, body, truncated: size > request.maxBytes };
}

/** Waits for the socket's event; destroys it when that does not come. */
function ready(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      // An error after this belongs to the request that uses the socket, or to nobody.
      socket.on('error', () => undefined);
      act();
    };
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onError = (error: Error): void => settle(() => fail(error))();
    const onAbort = (): void => settle(() => fail(signal.reason))();
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    socket.on('error', onError);
    socket.once(event, settle(resolve));
    socket.once('close', () => onError(new Error('closed')));
  });
}

/** The resolver cannot be cancelled; its answer is then nobody's. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  return Promise.race([work, stopped.promise]).finally(() => signal.removeEventListener('abort', stop));
}

const problems: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no address: its name is not known',
  EAI_AGAIN: 'has no address at the moment: the name server does not answer',
  ECONNREFUSED: 'refuses the connection',
  ECONNRESET: 'broke the connection',
  EPIPE: 'broke the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: this machine has no route to it',
  ETIMEDOUT: 'cannot be reached: no answer',
};

/** What went wrong on the way, in words. */
function describe(url: URL, error: unknown): AppError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_INVALID_CHAR') return refused('a header holds a character that HTTP cannot carry', error);
  const known = problems[code];
  if (known !== undefined) return failed(`${url.host} ${known}`, error);
  if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)) {
    return failed(`the certificate of ${url.host} is not valid for it (${code})`, error);
  }
  if (/SSL|TLS/.test(code)) return failed(`${url.host} does not speak TLS as expected (${code})`, error);
  if (code.startsWith('HPE_')) return failed(`${url.host} does not answer in HTTP (${code})`, error);
  return failed(`${url.host} broke the connection`, error);
}

function refused(message: string, cause?: unknown): AppError {
  return appError('outgoing.refused', message, { cause });
}

function failed(message: string, cause?: unknown): AppError {
  return appError('outgoing.failed', message, { cause });
}
