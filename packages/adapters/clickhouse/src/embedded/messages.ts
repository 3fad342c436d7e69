import type { Lane } from '../sql-connection.ts';

/** Parent → child. */
export type ChildRequest =
  /** A question (`answer`) comes without limits: the child knows how long it waited for its turn, and adds them. */
  | { kind: 'run'; id: number; lane: Lane; sql: string; answer: boolean; timeoutMs: number }
  /** Asks for a sign of life. */
  | { kind: 'ping' }
  | { kind: 'cancel'; id: number }
  | { kind: 'close' };

/** Child → parent. */
export type ChildReply =
  | { kind: 'ready' }
  | { kind: 'pong' }
  | { kind: 'open_failed'; message: string }
  | { kind: 'done'; id: number; bytes: Uint8Array | undefined }
  | { kind: 'failed'; id: number; code: number | undefined; message: string };

/** What the child is told at its start, as its one argument. */
export interface ChildOptions {
  path: string;
  settings: Readonly<Record<string, number>>;
  readSessions: number;
}
