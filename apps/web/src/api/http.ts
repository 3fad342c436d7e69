import type { ErrorBody } from '@nowcast/contract';

/** A refused call: `message` is the server's and says what to change. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(status: number, code: string, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** Text for people out of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function goToLogin(): void {
  const next = location.pathname + location.search;
  location.assign(next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`);
}

async function refusal(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => null)) as ErrorBody | null;
  const error = body?.error;
  return new ApiError(
    answer.status,
    error?.code ?? 'server.error',
    error?.message ?? `The server answered ${answer.status}. Try again in a moment.`,
    error?.details,
  );
}

/**
 * Calls the server with JSON. A session that ended sends the visitor to the sign-in page, and back here afterwards.
 * Throws `ApiError`; status 0 means that the server could not be reached.
 */
export async function api<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(
      0,
      'request.timeout',
      'The server cannot be reached. Check the connection and try again.',
    );
  }
  if (!answer.ok) {
    const error = await refusal(answer);
    // A wrong password is the answer to what was typed; the session goes on.
    if (answer.status === 401 && error.code !== 'auth.invalid_credentials') goToLogin();
    throw error;
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}
