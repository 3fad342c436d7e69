import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Wrench } from 'lucide-react';
import { useState } from 'react';
import type { Maintenance, MaintenanceContent, Rule } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { alertsInWords } from './alert-matchers.ts';
import { maintenanceQuery, rulesQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { MaintenanceDialog } from './maintenance-dialog.tsx';
import { LineActions } from './policy-parts.tsx';
import { refetchAt } from './refetch-at.ts';
import { durationInWords } from './rule-words.ts';
import { dayAndTime, daysInWords, fromNow, spanInWords } from './when-words.ts';

/** `/alerts/maintenance`: hours of the week in which nobody is told. */
export function MaintenancePage() {
  const live = useLive();
  const manages = mayAdminister(useMe());
  const windows = useQuery({
    ...maintenanceQuery,
    refetchInterval: refetchAt(
      () => live.serverNow(),
      ({ maintenance }) =>
        maintenance.flatMap(({ upcoming }) => upcoming.flatMap(({ from, to }) => [from, to])),
    ),
  });
  const rules = useQuery(rulesQuery);
  const [editing, setEditing] = useState<Maintenance | 'new' | null>(null);
  const isEmpty = windows.isSuccess && windows.data.length === 0;
  const add = manages && (
    <Button variant="primary" onPress={() => setEditing('new')}>
      <Plus size={15} aria-hidden />
      New window
    </Button>
  );
  return (
    <AlertsFrame
      title="Maintenance"
      text="Hours that come back each week, in which alerts are listed and nobody is told."
      actions={!isEmpty && add}
    >
      {windows.isError && <Failure error={windows.error} onRetry={() => void windows.refetch()} />}
      {windows.isPending && <Skeleton className="h-32" />}
      {isEmpty && (
        <EmptyState
          icon={<Wrench size={22} aria-hidden />}
          title="No maintenance windows"
          text="For backups at night and deployments on Thursdays: alerts of these hours wake nobody. What still fires at the end is said then."
        >
          {add}
        </EmptyState>
      )}
      {!isEmpty && windows.data !== undefined && (
        <ul className="card divide-y divide-line" aria-label="Maintenance windows">
          {windows.data.map((window) => (
            <WindowLine
              key={window.maintenance_id}
              window={window}
              rules={rules.data ?? []}
              manages={manages}
              onEdit={() => setEditing(window)}
            />
          ))}
        </ul>
      )}
      {editing !== null && (
        <MaintenanceDialog window={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
    </AlertsFrame>
  );
}

/** What of a stored window can be saved again. */
function contentOf(window: Maintenance): MaintenanceContent {
  const { maintenance_id: _, upcoming: __, ...content } = window;
  return content;
}

function WindowLine({
  window,
  rules,
  manages,
  onEdit,
}: {
  window: Maintenance;
  rules: readonly Rule[];
  manages: boolean;
  onEdit: () => void;
}) {
  const client = useQueryClient();
  const { name, enabled, tz } = window;
  const enable = useMutation({
    mutationFn: (on: boolean) =>
      api<Maintenance>('PUT', `/api/v1/maintenance/${encodeURIComponent(window.maintenance_id)}`, {
        ...contentOf(window),
        enabled: on,
      }),
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['maintenance'] }),
  });
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 p-3 sm:flex-nowrap sm:px-4">
      <Wrench size={18} className="mt-0.5 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-semibold break-words">{name}</p>
        <p className="text-sm">
          {`${daysInWords(window.days)} at ${window.start} for ${durationInWords(window.duration)}`}
          <span className="text-muted">{` · ${tz}`}</span>
        </p>
        <p className="text-sm break-words text-muted">{`Keeps quiet: ${alertsInWords(window.where, rules)}`}</p>
        <NextWindows window={window} />
      </div>
      {manages && (
        <LineActions
          list="maintenance"
          id={window.maintenance_id}
          name={name}
          what="maintenance window"
          consequence="From now on alerts of these hours are told. Nothing else changes."
          onEdit={onEdit}
        >
          <Button
            size="small"
            aria-label={`${enabled ? 'Switch off' : 'Switch on'} ${name}`}
            isDisabled={enable.isPending}
            onPress={() => enable.mutate(!enabled)}
          >
            {enabled ? 'Switch off' : 'Switch on'}
          </Button>
        </LineActions>
      )}
    </li>
  );
}

function NextWindows({ window }: { window: Maintenance }) {
  useSecond();
  const now = useLive().serverNow();
  const { upcoming, tz } = window;
  const [first, ...rest] = upcoming.filter(({ to }) => to > now);
  if (first === undefined) return <p className="mt-1 text-sm text-muted">Off: it does not come.</p>;
  const isOpen = first.from <= now;
  return (
    <div className="mt-1 text-sm">
      <p>
        {isOpen ? (
          <span className="font-medium text-warn">{`Open now, for another ${describeAge(first.to - now)}`}</span>
        ) : (
          <span className="font-medium">{`Next ${spanInWords(first, tz)}, ${fromNow(first.from, now)}`}</span>
        )}
      </p>
      {rest.length > 0 && (
        <p className="text-xs text-muted">{`Then ${rest.map(({ from }) => dayAndTime(from, tz)).join(' · ')}`}</p>
      )}
    </div>
  );
}
