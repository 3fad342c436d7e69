import { useEffect, useRef } from 'react';
import type { ServerInfo } from '@nowcast/contract';
import { api } from '../../api/http.ts';
import { useLinkState } from '../../live/live-context.ts';

/** Loads the page anew when the server is another version than before the connection was lost: a wall runs for months. */
export function useNewProgram(): void {
  const { state } = useLinkState();
  const known = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (state !== 'live') return;
    const ask = async (): Promise<void> => {
      const { version } = await api<ServerInfo>('GET', '/api/v1/info');
      if (known.current !== undefined && known.current !== version) location.reload();
      known.current = version;
    };
    // What fails is asked again at the next connection.
    ask().catch(() => undefined);
  }, [state]);
}
