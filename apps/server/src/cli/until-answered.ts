import { setTimeout as delay } from 'node:timers/promises';
import { type AppError, isAppError } from '@nowcast/kernel';
import { type ApiAnswer, refusalOf } from './api-client.ts';

/** How long the server may be away or busy before a command gives up. */
const patienceMs = 5 * 60_000;
const longestPauseMs = 10_000;
/** Busy, away, late or without room; 502 and 504 also come from a proxy whose server is away. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504, 507]);

/**
 * Sends what is harmless to send again until the server has taken or refused it. Rejects with the last reason after
 * five minutes. `onBusy` hears each answer that is waited out.
 */
export async function untilAnswered(
  send: () => Promise<ApiAnswer>,
  onBusy: (answer: ApiAnswer) => void = () => undefined,
): Promise<ApiAnswer> {
  const startedMs = performance.now();
  for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const answer = await orRetryable(send());
    const isLate = performance.now() - startedMs > patienceMs;
    if (isAppError(answer)) {
      if (isLate) throw answer;
      await delay(pauseMs);
      continue;
    }
    if (!passing.has(answer.status)) return answer;
    if (isLate) throw refusalOf(answer);
    onBusy(answer);
    const seconds = Number(answer.headers['retry-after'] ?? 0);
    await delay(Math.max(pauseMs, Math.min(seconds * 1000, longestPauseMs)));
  }
}

async function orRetryable(answer: Promise<ApiAnswer>): Promise<ApiAnswer | AppError> {
  try {
    return await answer;
  } catch (error) {
    if (isAppError(error) && error.retryable) return error;
    throw error;
  }
}
