import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { SourceStatus } from '@nowcast/contract';
import { sourcesQuery } from '../../api/queries.ts';

/** What a source has sent since its key was made, pushed by the server (the lists follow). Null until the first push. */
export function useSourceEvents(keyId: string): SourceStatus | null {
  const client = useQueryClient();
  const [status, setStatus] = useState<SourceStatus | null>(null);
  useEffect(() => {
    setStatus(null);
    const events = new EventSource(`/api/v1/sources/${encodeURIComponent(keyId)}/events`);
    events.addEventListener('status', (event) => {
      const next = JSON.parse(event.data as string) as SourceStatus;
      setStatus(next);
      client.setQueryData(sourcesQuery.queryKey, (old) => ({
        sources: [...(old?.sources ?? []).filter((source) => source.key_id !== keyId), next],
      }));
    });
    return () => events.close();
  }, [keyId, client]);
  return status;
}
