import type { FollowHandlers } from '@nowcast/client';
import type { DeltaColumns, NoticeMessage, QueryInput, SnapshotColumns } from '@nowcast/contract';

/** What the page needs of a live connection; `connect.ts` provides it from `@nowcast/client`. */
export interface ViewHandlers {
  onSnapshot(snapshot: SnapshotColumns): void;
  onDelta(delta: DeltaColumns): void;
  onNotice(notice: NoticeMessage): void;
}

export type LinkState =
  | { state: 'connecting' }
  | { state: 'live' }
  /** `atMs`: when the next attempt starts, by the page's own clock. */
  | { state: 'reconnecting'; atMs: number }
  | { state: 'offline' };

export interface LivePort {
  /** Opens a live view; the returned function closes it. */
  subscribe(query: QueryInput, handlers: ViewHandlers): () => void;
  /** Alerts, rules and the inbox: what changed of them while it is called for; the returned function ends it. */
  follow(handlers: FollowHandlers): () => void;
  /** The same object until it changes. */
  status(): LinkState;
  onStatus(fn: () => void): () => void;
  /** The server's wall clock as well as we know it, epoch ms. */
  serverNow(): number;
  /** From the server's receipt of the newest point to its arrival here, ms; null until one came. */
  lagMs(): number | null;
  /** Connects; while waiting for the next attempt: tries now. */
  connect(): void;
}
