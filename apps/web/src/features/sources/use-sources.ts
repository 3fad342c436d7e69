import { useQuery } from '@tanstack/react-query';
import type { ApiKey, SourceStatus } from '@nowcast/contract';
import { keysQuery, sourcesQuery } from '../../api/queries.ts';

/** Nobody pushes that a source has fallen silent, or that another has begun. */
const rereadMs = 15_000;

export interface Source {
  key: ApiKey;
  status: SourceStatus | undefined;
  /** When it was last heard of, also before the server's last start, epoch ms; null: never. */
  seenAt: number | null;
}

/** Every key with what is known of whoever sends with it, read again while it is looked at. */
export function useSources() {
  const keys = useQuery({ ...keysQuery, refetchInterval: rereadMs });
  const states = useQuery({ ...sourcesQuery, refetchInterval: rereadMs });
  const sources = keys.data?.map((key): Source => {
    const status = states.data?.find((source) => source.key_id === key.key_id);
    return { key, status, seenAt: status?.last_seen_at ?? key.last_used_at };
  });
  return { keys, sources };
}
