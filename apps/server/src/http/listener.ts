import { readFileSync, watch, type FSWatcher } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { dirname } from 'node:path';
import { networkInterfaces } from 'node:os';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError, type Service } from '@nowcast/kernel';
import type { Logger } from '../log.ts';
import { addressGroup, isLoopback, plainAddress, type ProxyTrust } from './client-address.ts';

export interface ListenerOptions {
  host: string;
  port: number;
  tls: { certFile: string; keyFile: string } | undefined;
  allowPlainHttp: boolean;
  maxConnections: number;
  maxConnectionsPerAddress: number;
  proxies: ProxyTrust;
  log: Logger;
  onRequest: (request: http.IncomingMessage, response: http.ServerResponse, waits: boolean) => void;
  onUpgrade: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Node's own limits are 60 s, 300 s and no connection cap: made for trusted networks (C19). */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const keepAliveTimeoutMs = 65_000;
/** A peer that neither sends nor takes anything for so long is gone; longer than any query may run. */
const idleTimeoutMs = 120_000;
const maxHeaderBytes = 16 * 1024;

/** The TCP side: one port, HTTP or HTTPS, with time and connection limits. */
export class Listener implements Service {
  readonly #options: ListenerOptions;
  readonly #server: http.Server | https.Server;
  readonly #perAddress = new Map<string, number>();
  readonly #watchers: FSWatcher[] = [];
  #reloadTimer: NodeJS.Timeout | undefined;
  #open = 0;
  #refused = 0;
  /** Known once it listens, and said after it has closed, too. */
  #port = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    if (options.tls === undefined && !options.allowPlainHttp && !isLocalHost(options.host)) {
      throw new AppError(
        'request.invalid',
        `refusing to serve ${options.host} without encryption: give --tls-cert and --tls-key, or say --allow-plain-http`,
      );
    }
    this.#server = this.#create();
    this.#server.maxConnections = options.maxConnections;
    this.#server.timeout = idleTimeoutMs;
    this.#server.on('request', (request, response) => options.onRequest(request, response, false));
    this.#server.on('checkContinue', (request, response) => options.onRequest(request, response, true));
    this.#server.on('upgrade', (request, socket, head) => options.onUpgrade(request, socket, head));
    this.#server.on('connection', (socket: Socket) => this.#admit(socket));
    this.#server.on('drop', () => this.#refused++);
    this.#server.on('clientError', refuseMalformed);
  }

  #create(): http.Server | https.Server {
    const limits = {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      connectionsCheckingInterval: 1000,
      noDelay: true,
      // Else Node hands every other offer (`h2c`, of Java's client) to whoever listens for upgrades, too (RFC 9110, 7.8).
      shouldUpgradeCallback: ({ headers }: http.IncomingMessage) =>
        headers.upgrade?.toLowerCase() === 'websocket',
    };
    const { tls } = this.#options;
    if (tls === undefined) return http.createServer(limits);
    return https.createServer({
      ...limits,
      ...readCertificate(tls),
      minVersion: 'TLSv1.2',
      handshakeTimeout: headersTimeoutMs,
      ALPNProtocols: ['http/1.1'],
    });
  }

  /** Counts connections, and those of one household unless they are a proxy's; what is above the cap is closed before it costs anything. */
  #admit(socket: Socket): void {
    this.#open++;
    socket.once('close', () => this.#open--);
    const address = plainAddress(socket.remoteAddress ?? '');
    if (this.#options.proxies.trusts(address)) return;
    const group = addressGroup(address);
    const open = (this.#perAddress.get(group) ?? 0) + 1;
    if (open > this.#options.maxConnectionsPerAddress) {
      this.#refused++;
      socket.destroy();
      return;
    }
    this.#perAddress.set(group, open);
    socket.once('close', () => {
      const left = (this.#perAddress.get(group) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(group);
      else this.#perAddress.set(group, left);
    });
  }

  async run(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => reject(listenError(cause, host, port)));
      this.#server.listen({ host, port, backlog: 4096 }, resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#watchCertificate();
  }

  /** Where it listens, `https://host:port` without a path. */
  get url(): string {
    const { host, tls } = this.#options;
    const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
    return `${tls === undefined ? 'http' : 'https'}://${shown.includes(':') ? `[${shown}]` : shown}:${this.#port}`;
  }

  /** The same under every address of this machine, when it listens on all of them. */
  get otherUrls(): string[] {
    const { host, tls } = this.#options;
    if (host !== '0.0.0.0' && host !== '::') return [];
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return addresses
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => `${tls === undefined ? 'http' : 'https'}://${address}:${this.#port}`);
  }

  get encrypted(): boolean {
    return this.#options.tls !== undefined;
  }

  stats(): { connections: number; refused: number } {
    return { connections: this.#open, refused: this.#refused };
  }

  /** Reads the certificate again; connections that are open keep the old one. A broken file changes nothing. */
  reloadCertificate(): void {
    const { tls, log } = this.#options;
    if (tls === undefined || !('setSecureContext' in this.#server)) return;
    try {
      this.#server.setSecureContext({ ...readCertificate(tls), minVersion: 'TLSv1.2' });
      log.info('certificate loaded', { file: tls.certFile });
    } catch (error) {
      log.error('the new certificate cannot be used; the old one stays', { file: tls.certFile, error });
    }
  }

  /** Watches the directories, not the files: renewals replace files, and some replace the link above them. */
  #watchCertificate(): void {
    const { tls, log } = this.#options;
    if (tls === undefined) return;
    for (const directory of new Set([dirname(tls.certFile), dirname(tls.keyFile)])) {
      const onError = (error: unknown): void =>
        log.warn('cannot watch the certificate; send SIGHUP after a renewal', { directory, error });
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#reloadSoon());
        watcher.on('error', onError);
        this.#watchers.push(watcher);
      } catch (error) {
        // A folder that may be entered but not read, or no watches left on this machine.
        onError(error);
      }
    }
  }

  /** Certificate and key are two writes: waits until both are there. */
  #reloadSoon(): void {
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = setTimeout(() => this.reloadCertificate(), 500);
  }

  /** Takes no new connections; requests that are running finish. */
  async drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    await closed;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#reloadTimer);
    for (const watcher of this.#watchers) watcher.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

function isLocalHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}

function readCertificate(tls: { certFile: string; keyFile: string }): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw new AppError('request.invalid', `cannot read --tls-cert or --tls-key: ${why}`, { cause });
  }
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): AppError {
  const why =
    cause.code === 'EADDRINUSE'
      ? `port ${port} is taken; stop what uses it, or choose another with --port (0 picks a free one)`
      : cause.code === 'EACCES'
        ? `this user may not use port ${port}; choose one above 1023 with --port`
        : cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND'
          ? `this machine has no address ${host}; change --listen`
          : `cannot listen on ${host}:${port}: ${cause.message}`;
  return new AppError('request.invalid', why, { cause });
}

/** What never became a request: too slow, too large, or not HTTP. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
