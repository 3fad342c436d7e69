/** What senders get to read: our own form for JSON, the one Influx clients look for (`code`, `message`, `error`). */
import { type ErrorBody, errorEntry, influxErrorBody } from '@nowcast/contract';
import type { AppError } from '@nowcast/kernel';
import type { IngestAnswer, IngestFormat } from '@nowcast/ports';
import type { Rejections } from './rejections.ts';

/** When to try again, unless the error itself says (`details.retry_after_s`). */
const usualRetrySeconds = 1;

/** `accepted` counts every point that is stored now, those of an earlier try included. */
export function ingestAnswer(format: IngestFormat, accepted: number, rejections: Rejections): IngestAnswer {
  if (rejections.count === 0) {
    return format === 'line-protocol'
      ? { status: 204, body: '' }
      : { status: 200, body: `{"accepted":${accepted}}` };
  }
  const report = { accepted, rejected_count: rejections.count, rejected: rejections.list };
  if (format !== 'line-protocol') return { status: 422, body: JSON.stringify(report) };
  const message = `partial write: ${accepted} points kept, ${rejections.count} lines dropped; ${rejections.list[0]?.message}`;
  return { status: 422, body: JSON.stringify({ ...influxErrorBody(422, message), ...report }) };
}

/** The answer to a request of which nothing was kept. */
export function errorAnswer(format: IngestFormat, error: AppError): IngestAnswer {
  const { number, status } = errorEntry(error.code);
  const { code, message, retryable, details } = error;
  const seconds = details?.['retry_after_s'];
  const retryAfterSeconds = typeof seconds === 'number' ? seconds : usualRetrySeconds;
  const retry = status === 429 || status === 503 || status === 507 ? { retryAfterSeconds } : {};
  if (format === 'line-protocol') {
    return { status, body: JSON.stringify(influxErrorBody(status, message)), ...retry };
  }
  const body: ErrorBody = {
    error: { code, number, message, retryable, ...(details === undefined ? {} : { details }) },
  };
  return { status, body: JSON.stringify(body), ...retry };
}
