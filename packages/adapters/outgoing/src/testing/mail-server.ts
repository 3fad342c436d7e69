import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  /** Envelope addresses. */
  from: string;
  to: string[];
  raw: string;
  /** Over TLS, implicit or by STARTTLS. */
  secure: boolean;
  user: string | undefined;
}

/** A real SMTP server on this machine that keeps what it is given. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  /** Address → the answer it is refused with. */
  readonly refused = new Map<string, { code: number; text: string }>();
  /** Answer to the message itself instead of taking it. */
  dataError: { code: number; text: string } | undefined;
  connections = 0;
  readonly #server: SMTPServer;

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      authOptional: true,
      onConnect: (_session, done) => {
        this.connections++;
        done();
      },
      onAuth: (auth, _session, done) => {
        if (auth.username === 'alerts' && auth.password === 'pässword-canary') done(null, { user: 'alerts' });
        else done(smtpError(535, 'bad login pässword-canary'));
      },
      onRcptTo: ({ address }, _session, done) => {
        const refusal = this.refused.get(address);
        done(refusal === undefined ? null : smtpError(refusal.code, refusal.text));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          if (this.dataError !== undefined) return done(smtpError(this.dataError.code, this.dataError.text));
          this.mails.push({
            from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
            to: session.envelope.rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString('latin1'),
            secure: session.secure,
            user: typeof session.user === 'string' ? session.user : undefined,
          });
          return done();
        });
      },
      ...options,
    });
    // What clients do wrong is theirs to report.
    this.#server.on('error', () => undefined);
  }

  static async start(options: SMTPServerOptions = {}): Promise<MailServer> {
    const server = new MailServer(options);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server.server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

export interface MimePart {
  headers: Map<string, string>;
  body: Buffer;
}

/** The headers of a mail and its leaf parts, decoded (RFC 2045, 2047): as far as our own mails need it. */
export function readMail(raw: string): { headers: Map<string, string>; parts: MimePart[] } {
  const { headers, body } = split(raw);
  return { headers, parts: leaves(headers, body) };
}

function split(raw: string): { headers: Map<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim()));
  }
  return { headers, body: raw.slice(end + 4) };
}

function leaves(headers: Map<string, string>, body: string): MimePart[] {
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1];
  if (boundary === undefined) return [{ headers, body: decodeBody(headers, body) }];
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => split(part.replace(/^\r\n/, '')))
    .flatMap((part) => leaves(part.headers, part.body));
}

function decodeBody(headers: Map<string, string>, body: string): Buffer {
  switch (headers.get('content-transfer-encoding')) {
    case 'base64':
      return Buffer.from(body, 'base64');
    case 'quoted-printable':
      return quotedPrintable(body);
    default:
      return Buffer.from(body, 'latin1');
  }
}

function quotedPrintable(text: string): Buffer {
  const joined = text.replaceAll('=\r\n', '');
  return Buffer.from(
    joined.replaceAll(/=([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

function decodeWords(text: string): string {
  return text
    .replaceAll(/(\?=)\s+(=\?)/g, '$1$2')
    .replaceAll(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi, (_, how: string, encoded: string) =>
      (how.toUpperCase() === 'B'
        ? Buffer.from(encoded, 'base64')
        : quotedPrintable(encoded.replaceAll('_', ' '))
      ).toString('utf8'),
    );
}
