import type { Delivery } from '@nowcast/contract';
import type { DeliveryOutcome, DeliveryRow } from '@nowcast/ports';

const firstBackoffMs = 5000;
const longestBackoffMs = 3_600_000;
const mostAttempts = 8;
const longestMs = 86_400_000;

export interface AfterAttempt {
  status: Delivery['status'];
  attempts: number;
  error: string;
  at: number;
  dueAt: number | undefined;
  delayMs: number | undefined;
}

/**
 * What follows from an attempt: sent, tried again later, or failed for good. `chance` in [0, 1) spreads the retries of
 * many messages that failed together.
 */
export function afterAttempt(
  row: Pick<DeliveryRow, 'attempts' | 'receivedAt'>,
  outcome: DeliveryOutcome,
  now: number,
  chance: number,
): AfterAttempt {
  const attempts = row.attempts + 1;
  if (outcome.ok) {
    const delayMs = row.receivedAt === undefined ? undefined : Math.max(0, now - row.receivedAt);
    return { status: 'sent', attempts, error: '', at: now, dueAt: undefined, delayMs };
  }
  const base = { attempts, error: outcome.error, at: now, delayMs: undefined };
  const backoff = Math.min(firstBackoffMs * 4 ** row.attempts, longestBackoffMs) * (0.8 + 0.4 * chance);
  const dueAt = now + Math.max(backoff, outcome.retryAfterMs ?? 0);
  const isLast = !outcome.retryable || attempts >= mostAttempts || dueAt - now > longestMs;
  return isLast ? { ...base, status: 'failed', dueAt: undefined } : { ...base, status: 'retrying', dueAt };
}
