import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { MonitorSmartphone } from 'lucide-react';
import { api, messageOf } from '../../api/http.ts';
import { sessionsQuery } from '../../api/queries.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';

/** `Firefox on Linux` out of a user agent; the raw text where it says nothing familiar. */
export function describeAgent(agent: string): string {
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : (/(Firefox|Chrome|Safari|curl|node)/i.exec(agent)?.[1] ?? agent.slice(0, 40));
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  return system === undefined ? browser : `${browser} on ${system.replace('Mac OS X', 'macOS')}`;
}

export function Sessions() {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const end = useMutation({
    mutationFn: (sessionId: string) => api<void>('DELETE', `/api/v1/me/sessions/${sessionId}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['sessions'] }),
    onError: (error) => showToast('error', messageOf(error)),
  });
  return (
    <section className="card p-4 sm:p-6" aria-labelledby="profile-sessions">
      <h2 id="profile-sessions" className="mb-2 text-base font-semibold">
        Sessions
      </h2>
      {sessions.isError && <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.isPending && <Skeleton className="h-16" />}
      <ul className="divide-y divide-line">
        {sessions.data?.map((session) => (
          <li key={session.session_id} className="flex items-center gap-3 py-2.5">
            <MonitorSmartphone size={18} className="shrink-0 text-muted" aria-hidden />
            <div className="min-w-0 flex-1">
              <p className="truncate text-sm font-medium" title={session.user_agent}>
                {describeAgent(session.user_agent)}
                {session.current && <span className="chip ms-2 h-5 text-ok">this one</span>}
              </p>
              <p className="text-xs text-muted">{`Seen ${describeAge(Date.now() - session.last_seen_at)} ago`}</p>
            </div>
            {!session.current && (
              <Button
                size="small"
                aria-label={`End the session of ${describeAgent(session.user_agent)}`}
                onPress={() => end.mutate(session.session_id)}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
