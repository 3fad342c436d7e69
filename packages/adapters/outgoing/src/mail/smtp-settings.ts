import { readFileSync } from 'node:fs';
import { appError } from '@nowcast/contract';

/** How mail leaves this machine. */
export interface SmtpSettings {
  host: string;
  port: number;
  /** TLS from the first byte (`smtps:`), else STARTTLS. */
  implicitTls: boolean;
  /** Without TLS too: to this machine, or because the operator said so. */
  plainAllowed: boolean;
  user: string;
  /** Empty: no login. */
  password: string;
  from: { name: string; address: string };
  /** Authorities (PEM) instead of the built-in ones. */
  ca?: string;
}

export interface SmtpOptions {
  /** `smtp://user@mail.example.com:587` or `smtps://…:465`. */
  url: string | undefined;
  password: string | undefined;
  passwordFile: string | undefined;
  /** `alerts@example.com` or `Nowcast <alerts@example.com>`. */
  from: string | undefined;
  allowPlain: boolean;
}

/** Undefined: no mail here. Throws `request.invalid` naming the option; reads the password's file. */
export function readSmtpSettings(options: SmtpOptions): SmtpSettings | undefined {
  if (options.url === undefined) {
    if (options.from !== undefined) throw invalid('--mail-from needs --smtp-url: who shall carry the mail?');
    return undefined;
  }
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  const extra = url !== undefined && (/^\/.+/.test(url.pathname) || url.search !== '' || url.hash !== '');
  if (url === undefined || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || extra) {
    // The text is not repeated: somebody may have put a password into it.
    throw invalid('--smtp-url is not understood; write for example smtp://user@mail.example.com:587');
  }
  if (url.password !== '') {
    throw invalid('--smtp-url holds a password; put it into NOWCAST_SMTP_PASSWORD or --smtp-password-file');
  }
  const implicitTls = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(url.username);
  const password = readPassword(options);
  if ((user === '') !== (password === '')) {
    throw invalid(
      user === ''
        ? 'there is an SMTP password without a user; write smtp://user@host'
        : `--smtp-url names the user ${user} without a password; set NOWCAST_SMTP_PASSWORD or --smtp-password-file`,
    );
  }
  return {
    host,
    port: url.port === '' ? (implicitTls ? 465 : 587) : Number(url.port),
    implicitTls,
    plainAllowed: options.allowPlain || /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host),
    user,
    password,
    from: readSender(options.from),
  };
}

function readPassword({ password, passwordFile }: SmtpOptions): string {
  if (passwordFile === undefined) return password ?? '';
  try {
    return readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw appError('request.invalid', `--smtp-password-file ${passwordFile} cannot be read (${code})`, {
      cause: error,
    });
  }
}

/** No control characters, nothing that could be a second address. */
const addressPattern = /^[^\s@<>",;:()[\]\\\p{Cc}]+@[^\s@<>",;:()[\]\\\p{Cc}]+$/u;

/** Whether it is one address that can stand in a header and an envelope as it is. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && addressPattern.test(text);
}

function readSender(text: string | undefined): { name: string; address: string } {
  if (text === undefined) throw invalid('--mail-from is missing: which address do mails come from?');
  const match = /^\s*(?:"?([^"<>\p{Cc}]*?)"?\s*<([^<>]*)>|(\S+))\s*$/u.exec(text);
  const address = match?.[2] ?? match?.[3] ?? '';
  if (!isMailAddress(address)) {
    throw invalid(`--mail-from is "${text}"; write alerts@example.com or "Nowcast <alerts@example.com>"`);
  }
  return { name: match?.[1] === undefined || match[1] === '' ? 'Nowcast' : match[1], address };
}

function invalid(message: string): Error {
  return appError('request.invalid', message);
}
