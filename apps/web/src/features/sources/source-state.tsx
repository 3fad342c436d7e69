import { CircleAlert, CircleCheck, CircleDashed, Clock } from 'lucide-react';
import type { Source } from './use-sources.ts';

const quietMs = 5 * 60_000;

/** State of a source at this moment, by the server's clock, as an icon with its name. */
export function SourceState({ source: { status, seenAt }, nowMs }: { source: Source; nowMs: number }) {
  if (status?.last_error != null && status.last_error.at >= (status.last_seen_at ?? 0)) {
    return <CircleAlert size={16} className="shrink-0 text-crit" aria-label="rejected" />;
  }
  if (seenAt === null) {
    return <CircleDashed size={16} className="shrink-0 text-nodata" aria-label="waiting" />;
  }
  if (nowMs - seenAt > quietMs) {
    return <Clock size={16} className="shrink-0 text-warn" aria-label="quiet" />;
  }
  return <CircleCheck size={16} className="shrink-0 text-ok" aria-label="sending" />;
}
