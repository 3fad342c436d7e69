import { CircleAlert, CircleCheck, CircleDashed, Clock } from 'lucide-react';
import type { ApiKey, SourceStatus } from '@nowcast/contract';

const quietMs = 5 * 60_000;

/** State of a source as an icon with its name. `seenAt`: what its key knows, also from before the server's last start. */
export function SourceState({ status, seenAt }: { status: SourceStatus | undefined; seenAt: number | null }) {
  if (status?.last_error != null && status.last_error.at >= (status.last_seen_at ?? 0)) {
    return <CircleAlert size={16} className="shrink-0 text-crit" aria-label="rejected" />;
  }
  if (seenAt === null) {
    return <CircleDashed size={16} className="shrink-0 text-nodata" aria-label="waiting" />;
  }
  if (Date.now() - seenAt > quietMs) {
    return <Clock size={16} className="shrink-0 text-warn" aria-label="quiet" />;
  }
  return <CircleCheck size={16} className="shrink-0 text-ok" aria-label="sending" />;
}

/** When a source was last heard of, epoch ms; null: never. */
export function lastSeen(key: ApiKey, status: SourceStatus | undefined): number | null {
  return status?.last_seen_at ?? key.last_used_at;
}
