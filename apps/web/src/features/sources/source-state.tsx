import { CircleAlert, CircleCheck, CircleDashed, Clock } from 'lucide-react';
import type { SourceStatus } from '@nowcast/contract';

const quietMs = 5 * 60_000;

/** State of a source as an icon with its name. */
export function SourceState({ status }: { status: SourceStatus | undefined }) {
  if (status?.last_seen_at == null)
    return <CircleDashed size={16} className="shrink-0 text-nodata" aria-label="waiting" />;
  if (status.last_error !== null && status.last_error.at >= status.last_seen_at) {
    return <CircleAlert size={16} className="shrink-0 text-crit" aria-label="rejected" />;
  }
  if (Date.now() - status.last_seen_at > quietMs) {
    return <Clock size={16} className="shrink-0 text-warn" aria-label="quiet" />;
  }
  return <CircleCheck size={16} className="shrink-0 text-ok" aria-label="sending" />;
}
