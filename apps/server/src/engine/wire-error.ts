import { AppError, isAppError } from '@nowcast/kernel';
import type { WireError } from './messages.ts';

export function toWireError(error: unknown): WireError {
  if (isAppError(error)) {
    return { code: error.code, message: error.message, retryable: error.retryable, details: error.details };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'server.error', message, retryable: true, details: undefined };
}

export function fromWireError(error: WireError): AppError {
  return new AppError(error.code, error.message, {
    retryable: error.retryable,
    ...(error.details === undefined ? {} : { details: error.details }),
  });
}
