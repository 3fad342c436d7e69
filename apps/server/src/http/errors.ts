import type { ErrorBody } from '@nowcast/contract';
import { appError, errorEntry } from '@nowcast/contract';
import { type AppError, isAppError } from '@nowcast/kernel';

/**
 * Any failure as something a caller may see. What is not an `AppError` is our own fault: its text stays in the log,
 * because it may quote paths, SQL or other tenants' data.
 */
export function publicError(error: unknown): AppError {
  if (isAppError(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return appError('request.cancelled', 'the request was cancelled', { cause: error });
  }
  return appError('server.error', 'something went wrong on the server; its log says what', { cause: error });
}

/** The one place where error codes become HTTP. */
export function errorStatus(error: AppError): number {
  return errorEntry(error.code).status;
}

export function errorBody(error: AppError): ErrorBody {
  return {
    error: {
      code: error.code,
      number: errorEntry(error.code).number,
      message: error.message,
      retryable: error.retryable,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

/** Seconds for `Retry-After`, where an error names one. */
export function retryAfterSeconds(error: AppError): number | undefined {
  const seconds = error.details?.['retry_after_s'];
  if (typeof seconds === 'number') return Math.max(1, Math.ceil(seconds));
  const status = errorStatus(error);
  return status === 429 || status === 503 ? 1 : undefined;
}
