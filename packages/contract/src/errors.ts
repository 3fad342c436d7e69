import { AppError } from '@nowcast/kernel';

/**
 * Every error a caller can see: number (stable for ever), HTTP status, WebSocket close code where it ends a socket,
 * and whether the same request may be sent again unchanged.
 */
export const errorRegistry = {
  'request.invalid': { number: 1000, status: 400, retryable: false },
  'request.not_found': { number: 1001, status: 404, retryable: false },
  'request.method_not_allowed': { number: 1002, status: 405, retryable: false },
  'request.too_large': { number: 1003, status: 413, retryable: false },
  'request.unsupported_media_type': { number: 1004, status: 415, retryable: false },
  'request.timeout': { number: 1005, status: 408, retryable: true },
  'request.conflict': { number: 1006, status: 409, retryable: false },
  'request.not_acceptable': { number: 1007, status: 406, retryable: false },
  'request.cancelled': { number: 1008, status: 499, retryable: true },
  'request.throttled': { number: 1009, status: 429, retryable: true },
  'auth.required': { number: 1100, status: 401, close: 4401, retryable: false },
  'auth.invalid_credentials': { number: 1101, status: 401, retryable: false },
  'auth.forbidden': { number: 1102, status: 403, close: 4403, retryable: false },
  'auth.throttled': { number: 1103, status: 429, retryable: true },
  'auth.origin_refused': { number: 1104, status: 403, retryable: false },
  'auth.revoked': { number: 1105, status: 401, close: 4401, retryable: false },
  'ingest.rejected': { number: 1200, status: 422, retryable: false },
  'ingest.busy': { number: 1201, status: 429, retryable: true },
  'ingest.series_limit': { number: 1202, status: 422, retryable: false },
  'ingest.key_reused': { number: 1203, status: 422, retryable: false },
  'log.full': { number: 1300, status: 507, retryable: true },
  'log.failed': { number: 1301, status: 503, retryable: true },
  'query.invalid': { number: 1400, status: 400, retryable: false },
  'query.too_large': { number: 1401, status: 422, retryable: false },
  'query.timeout': { number: 1402, status: 504, retryable: true },
  'warehouse.unavailable': { number: 1500, status: 503, retryable: true },
  'live.subscription_limit': { number: 1600, status: 429, retryable: false },
  'live.message_invalid': { number: 1601, status: 400, close: 4400, retryable: false },
  'live.message_rate': { number: 1602, status: 429, close: 1008, retryable: true },
  'live.unacknowledged': { number: 1603, status: 408, close: 4408, retryable: true },
  'outgoing.refused': { number: 1700, status: 422, retryable: false },
  'outgoing.failed': { number: 1701, status: 502, retryable: true },
  'server.unavailable': { number: 1900, status: 503, close: 1012, retryable: true },
  'server.error': { number: 1901, status: 500, close: 1011, retryable: true },
} as const satisfies Record<string, { number: number; status: number; close?: number; retryable: boolean }>;

export type ErrorCode = keyof typeof errorRegistry;

/** Builds the error of a registered code; `message` says what to change. */
export function appError(
  code: ErrorCode,
  message: string,
  options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
): AppError {
  return new AppError(code, message, { ...options, retryable: errorRegistry[code].retryable });
}

/** Looks a code up; codes this version does not know are a server error. */
export function errorEntry(code: string): {
  number: number;
  status: number;
  close?: number;
  retryable: boolean;
} {
  return Object.hasOwn(errorRegistry, code)
    ? errorRegistry[code as ErrorCode]
    : errorRegistry['server.error'];
}

/** The body of every failed REST call. */
export interface ErrorBody {
  error: {
    code: string;
    number: number;
    message: string;
    retryable: boolean;
    details?: Readonly<Record<string, unknown>>;
  };
}

/** Error codes of the InfluxDB 2 API by HTTP status. */
const influxCodes: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  413: 'request too large',
  422: 'unprocessable entity',
  429: 'too many requests',
  503: 'unavailable',
  507: 'unavailable',
};

/** What Influx's clients look for: version 2 reads `code` and `message`, version 1 `error`. */
export interface InfluxErrorBody {
  code: string;
  message: string;
  error: string;
}

/** The body of a failed call of the line-protocol doors. */
export function influxErrorBody(status: number, message: string): InfluxErrorBody {
  return { code: influxCodes[status] ?? 'internal error', message, error: message };
}
