import { createHash } from 'node:crypto';
import type { AlertChart, AlertMessage, DeliveryOutcome, OutgoingDelivery } from '@nowcast/ports';
import { createTransport } from 'nodemailer';
import { alertChart } from '../chart/alert-chart.ts';
import { oneLine, shortened } from '../message-text.ts';
import { failure } from '../outcome.ts';
import { mailContent } from './mail-content.ts';
import { isMailAddress, type SmtpSettings } from './smtp-settings.ts';

/**
 * One mail over SMTP, on a connection of its own. The envelope is what the channel or the person says, address by
 * address; nothing of a label or a title gets near it, and headers hold neither CR nor LF. The same delivery has the
 * same `Message-ID`, by which mail readers drop the copy of a retry.
 */
export class Mailer {
  readonly #settings: SmtpSettings;
  /** Drawn once for all who are told the same. */
  readonly #pictures = new WeakMap<AlertChart, Promise<Buffer | undefined>>();

  constructor(settings: SmtpSettings) {
    this.#settings = settings;
  }

  async send(
    { key, message }: OutgoingDelivery,
    to: readonly string[],
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const wrong = to.find((address) => !isMailAddress(address));
    if (wrong !== undefined) {
      return failure(`"${shortened(oneLine(wrong), 80)}" is not an address; write name@example.com`);
    }
    if (to.length === 0) return failure('there is no address to write to');
    const transport = createTransport(this.#transport());
    try {
      const info = await transport.sendMail({ ...(await this.#mail(key, message, to)), signal });
      return rejectedOutcome(info.rejectedErrors ?? [], to.length);
    } catch (error) {
      if (signal.aborted) return failure('the attempt was cancelled', { retryable: true });
      return failedOutcome(error, this.#settings);
    } finally {
      transport.close();
    }
  }

  #transport() {
    const { host, port, implicitTls, plainAllowed, user, password, ca } = this.#settings;
    return {
      host,
      port,
      secure: implicitTls,
      requireTLS: !plainAllowed,
      // Where plain text is allowed, a certificate that nobody vouches for is no worse.
      tls: {
        minVersion: 'TLSv1.2' as const,
        rejectUnauthorized: !plainAllowed,
        ...(ca === undefined ? {} : { ca }),
      },
      ...(user === '' ? {} : { auth: { user, pass: password } }),
      connectionTimeout: 5000,
      greetingTimeout: 5000,
      socketTimeout: 10_000,
      // Nothing in a message names a file or an address to fetch.
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  }

  #picture({ chart, unit }: AlertMessage): Promise<Buffer | undefined> | undefined {
    if (chart === undefined) return undefined;
    const drawing = this.#pictures.get(chart) ?? alertChart(chart, unit);
    this.#pictures.set(chart, drawing);
    return drawing;
  }

  async #mail(key: string, message: AlertMessage, to: readonly string[]) {
    const { from } = this.#settings;
    const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
    const picture = await this.#picture(message);
    const conversation = `<tag.${digest(message.tag)}@${domain}>`;
    const cid = `chart.${digest(key)}@${domain}`;
    return {
      from,
      to: to.map((address) => ({ name: '', address })),
      envelope: { from: from.address, to: [...to] },
      messageId: `<${digest(key)}@${domain}>`,
      // Mail readers show what is said of one alert as one conversation.
      references: conversation,
      inReplyTo: conversation,
      date: new Date(message.at),
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...mailContent(message, picture === undefined ? undefined : cid),
      attachments:
        picture === undefined
          ? []
          : [
              {
                filename: 'chart.png',
                contentType: 'image/png',
                content: picture,
                cid,
                contentDisposition: 'inline' as const,
              },
            ],
    };
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

interface SmtpProblem {
  code?: string | undefined;
  /** Node's, where nodemailer has put its own over it. */
  originalCode?: string | undefined;
  responseCode?: number | undefined;
  response?: string | undefined;
  recipient?: string | undefined;
}

/** Some of several addresses were refused. Those who have the mail drop a second one by its `Message-ID`. */
function rejectedOutcome(rejected: readonly SmtpProblem[], asked: number): DeliveryOutcome {
  if (rejected.length === 0) return { ok: true };
  const who = rejected.map((one) => `${one.recipient ?? 'one'} (${said(one)})`).join(', ');
  return failure(
    `${asked - rejected.length} of ${asked} addresses took the mail; refused: ${shortened(who, 300)}`,
    {
      retryable: rejected.some(isPassing),
    },
  );
}

function failedOutcome(error: unknown, { host, password }: SmtpSettings): DeliveryOutcome {
  const problem: SmtpProblem = error instanceof Error ? (error as SmtpProblem) : {};
  const words = wordsOf(problem, host);
  return failure(password === '' ? words : words.replaceAll(password, '***'), {
    retryable: isPassing(problem),
  });
}

/** A login and TLS are the operator's to repair, meanwhile it is tried again. */
const ofTheServer: ReadonlySet<string | undefined> = new Set(['EAUTH', 'ENOAUTH', 'ETLS']);

/** 5xx of the message or the addresses is final. */
function isPassing({ code, responseCode }: SmtpProblem): boolean {
  return ofTheServer.has(code) || responseCode === undefined || responseCode < 500;
}

function wordsOf(problem: SmtpProblem, host: string): string {
  const badCertificate = /CERT|ISSUER|SIGNATURE|SSL/.test(problem.originalCode ?? '');
  switch (badCertificate ? 'ETLS' : problem.code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return `the mail server ${host} does not accept the user and password`;
    case 'ETLS':
      return `the mail server ${host} offers no TLS, or its certificate is not valid`;
    case 'EDNS':
      return `the mail server ${host} has no address: its name is not known`;
    case 'ETIMEDOUT':
      return `the mail server ${host} did not answer in time`;
    case 'ECONNECTION':
    case 'ESOCKET':
      return `the mail server ${host} cannot be reached`;
    default:
      return `the mail server ${host} refuses the mail: ${said(problem)}`;
  }
}

function said({ response, responseCode }: SmtpProblem): string {
  return shortened(oneLine(response ?? ''), 200) || `code ${responseCode ?? 'unknown'}`;
}
