/**
 * The one error class that crosses module borders. `code` is a key of the registry in `@nowcast/contract`
 * (which maps it to an HTTP status and a socket close code, once); `message` says what to change.
 */
export class AppError extends Error {
  readonly code: string;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }
}

/** True for an `AppError`, also one that crossed a structured clone and lost its prototype. */
export function isAppError(error: unknown): error is AppError {
  return error instanceof Error && error.name === 'AppError' && 'code' in error;
}
