import { useEffect, useState } from 'react';
import type { SourceStatus } from '@nowcast/contract';

/** What a source has sent since its key was made, pushed by the server. Null until the first push. */
export function useSourceEvents(keyId: string): SourceStatus | null {
  const [status, setStatus] = useState<SourceStatus | null>(null);
  useEffect(() => {
    setStatus(null);
    const events = new EventSource(`/api/v1/sources/${encodeURIComponent(keyId)}/events`);
    events.addEventListener('status', (event) => setStatus(JSON.parse(event.data as string) as SourceStatus));
    return () => events.close();
  }, [keyId]);
  return status;
}
