import { isAppError } from '@nowcast/kernel';
import type { DeliveryOutcome } from '@nowcast/ports';
import type { GuardedResponse } from './guarded-http.ts';
import { oneLine, shortened } from './message-text.ts';

type Failure = Extract<DeliveryOutcome, { ok: false }>;

export function failure(error: string, more: Partial<Omit<Failure, 'ok' | 'error'>> = {}): Failure {
  return { ok: false, retryable: false, gone: false, retryAfterMs: undefined, ...more, error };
}

/** What an attempt came to that ended without an answer. */
export function failureOf(error: unknown, secrets: readonly string[]): Failure {
  if (isAppError(error))
    return failure(withoutSecrets(error.message, secrets), { retryable: error.retryable });
  const text = error instanceof Error ? error.message : String(error);
  return failure(withoutSecrets(`it could not be sent: ${text}`, secrets), { retryable: true });
}

const statusWords: Readonly<Record<number, string>> = {
  400: 'does not understand the message',
  401: 'does not accept the key or the address',
  403: 'does not allow it',
  404: 'does not know the address',
  408: 'ran out of time',
  410: 'says that the address is gone',
  413: 'finds the message too large',
  429: 'wants fewer messages',
};

/**
 * 2xx is delivered. 408, 429 and 5xx may pass with time (`Retry-After`, RFC 9110, 10.2.3); every other status will
 * be the same again. `host` and the beginning of the answer are named, nothing of the path: that is often the secret.
 */
export function outcomeOf(
  response: GuardedResponse,
  host: string,
  nowMs: number,
  secrets: readonly string[],
): DeliveryOutcome {
  const { status } = response;
  if (status >= 200 && status <= 299) return { ok: true };
  if (status >= 300 && status <= 399) {
    return failure(`${host} redirects (${status}), which is not followed: write the final address`);
  }
  const words = statusWords[status] ?? (status >= 500 ? 'has a problem of its own' : 'refuses the message');
  const said = withoutSecrets(answerText(response), secrets);
  return failure(`${host} ${words} (${status})${said === '' ? '' : `: ${said}`}`, {
    retryable: status === 408 || status === 429 || status >= 500,
    retryAfterMs: retryAfter(response, nowMs),
  });
}

const mostRetryAfterMs = 24 * 3_600_000;

/** Of the header, in seconds or as a date; else of a JSON body, as Telegram and Discord say it. */
function retryAfter(response: GuardedResponse, nowMs: number): number | undefined {
  const header = response.headers['retry-after'];
  if (header !== undefined) {
    const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
    return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), mostRetryAfterMs) : undefined;
  }
  const match = /"retry_after"\s*:\s*(\d{1,9}(?:\.\d{1,6})?)/.exec(response.body.toString('latin1'));
  return match === null ? undefined : Math.min(Math.ceil(Number(match[1]) * 1000), mostRetryAfterMs);
}

/** What the other side says, when it is text for people and not a page. */
function answerText(response: GuardedResponse): string {
  if (!/^(?:text\/plain|application\/(?:\w+\+)?json)/.test(response.headers['content-type'] ?? '')) return '';
  return shortened(oneLine(response.body.toString('utf8')), 200);
}

/** An answer or an error may repeat what it was sent. Longest first, so that no rest of one stays. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .filter((secret) => secret.length >= 4)
    .sort((a, b) => b.length - a.length)
    .reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
}

/** The parts of a URL that may be secrets: login, path, query. */
export function secretsOfUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const url = new URL(text);
  const parts = [
    url.username,
    url.password,
    url.pathname,
    url.search,
    ...url.pathname.split('/').filter((part) => part.length >= 8),
    ...url.searchParams.values(),
  ];
  return parts.flatMap((part) => [part, safeDecode(part)]);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
