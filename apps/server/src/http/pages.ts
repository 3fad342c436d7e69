import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { appError, type ErrorCode } from '@nowcast/contract';
import { type Answer, ownPath } from './route.ts';
import { pagePolicy } from './security-headers.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const compressible = new Set(['.css', '.js', '.json', '.map', '.svg', '.txt', '.webmanifest']);
const nonceMark = '__CSP_NONCE__';
/** A service worker fetches under the policy of its own script, so files may load from this origin. */
const filePolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** What a failed sign-in by the plain form says. */
const loginErrors: Partial<Record<ErrorCode, string>> = {
  'auth.invalid_credentials': 'The e-mail address, username or password is wrong.',
  'auth.throttled': 'Too many attempts. Wait a moment, then try again.',
  'auth.forbidden': 'This account is disabled. Ask an admin of your organisation.',
  'auth.origin_refused': 'Open Nowcast under its own address and try again.',
  'request.invalid': 'Fill in both fields.',
};

/** The words for a code; they travel in the address of the sign-in page. */
export function loginErrorText(code: string): string {
  return loginErrors[code as ErrorCode] ?? 'Signing in did not work. Try again in a moment.';
}

interface PageFile {
  bytes: Buffer;
  type: string;
  etag: string;
  compressed: Buffer | undefined;
}

/** The built page, read once and served from memory. */
export class Pages {
  readonly #files = new Map<string, PageFile>();

  constructor(directory: string) {
    for (const path of listFiles(directory)) {
      const bytes = readFileSync(path);
      const type = mediaTypes[extname(path)] ?? 'application/octet-stream';
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      const name = `/${relative(directory, path).split(sep).join('/')}`;
      this.#files.set(name, { bytes, type, etag, compressed: undefined });
    }
  }

  get built(): boolean {
    return this.#files.has('/index.html');
  }

  /** Compresses what gains from it; until then files go out as they are. */
  async compress(): Promise<void> {
    for (const [name, file] of this.#files) {
      if (!compressible.has(extname(name)) || file.bytes.length < 1024) continue;
      const compressed = await promisify(gzip)(file.bytes, { level: 9 });
      if (compressed.length < file.bytes.length * 0.95) file.compressed = compressed;
    }
  }

  answer(path: string, headers: IncomingHttpHeaders, query: URLSearchParams): Answer {
    const file = this.#files.get(path);
    if (file !== undefined && !path.endsWith('.html')) return fileAnswer(path, file, headers);
    if (path === '/login' || path === '/login.html')
      return this.#page('/login.html', (html) => filledLogin(html, query));
    if (path === '/offline.html') return this.#page(path, (html) => html);
    if (extname(path) !== '' && path !== '/index.html') {
      throw appError('request.not_found', `there is nothing at ${path}`);
    }
    return this.#page('/index.html', (html) => html);
  }

  #page(name: string, fill: (html: string) => string): Answer {
    const file = this.#files.get(name);
    if (file === undefined) {
      throw appError(
        'request.not_found',
        'the page is not built; start the server with bin/start, or run "npm run build:web"',
      );
    }
    const nonce = randomBytes(16).toString('base64');
    return {
      status: 200,
      headers: {
        'Content-Type': file.type,
        'Content-Security-Policy': pagePolicy(nonce),
        'Cache-Control': 'no-cache',
      },
      body: fill(file.bytes.toString('utf8')).replaceAll(nonceMark, nonce),
    };
  }
}

function fileAnswer(path: string, file: PageFile, headers: IncomingHttpHeaders): Answer {
  const compressed = acceptsGzip(headers) ? file.compressed : undefined;
  const answer: Answer = {
    status: headers['if-none-match'] === file.etag ? 304 : 200,
    headers: {
      'Content-Type': file.type,
      'Content-Security-Policy': filePolicy,
      'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: file.etag,
      ...(file.compressed === undefined ? {} : { Vary: 'Accept-Encoding' }),
      ...(compressed === undefined ? {} : { 'Content-Encoding': 'gzip' }),
    },
  };
  return answer.status === 304 ? answer : { ...answer, body: compressed ?? file.bytes };
}

function acceptsGzip(headers: IncomingHttpHeaders): boolean {
  const accepted = headers['accept-encoding'];
  return typeof accepted === 'string' && /\bgzip\b(?!\s*;\s*q=0(\.0*)?(,|$))/.test(accepted);
}

/** The sign-in page for browsers without JavaScript: where to go next, and why the last attempt failed. */
function filledLogin(html: string, query: URLSearchParams): string {
  const next = escapeHtml(ownPath(query.get('next') ?? '/'));
  // Only words of ours: a link must not be able to put others there.
  const error = Object.values(loginErrors).find((text) => text === query.get('error'));
  const withNext = html.replace(
    /(<input[^>]*name="next"[^>]*value=)"[^"]*"/,
    (_, before: string) => `${before}"${next}"`,
  );
  if (error === undefined) return withNext;
  return withNext.replace(
    /(<p[^>]*id="form-error"[^>]*?)\s+hidden(?:="")?([^>]*>)\s*<\/p>/,
    (_, open: string, close: string) => `${open}${close}${error}</p>`,
  );
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}
