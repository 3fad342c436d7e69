import { useQuery } from '@tanstack/react-query';
import { EarOff, Info, Plus } from 'lucide-react';
import { useState } from 'react';
import type { Inhibition, Rule } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { alertsInWords } from './alert-matchers.ts';
import { inhibitionsQuery, rulesQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { InhibitionDialog } from './inhibition-dialog.tsx';
import { LineActions } from './policy-parts.tsx';

/** `/alerts/inhibitions`: which alerts keep which others quiet. */
export function InhibitionsPage() {
  const manages = mayAdminister(useMe());
  const inhibitions = useQuery(inhibitionsQuery);
  const rules = useQuery(rulesQuery);
  const [editing, setEditing] = useState<Inhibition | 'new' | null>(null);
  const isEmpty = inhibitions.isSuccess && inhibitions.data.length === 0;
  const add = manages && (
    <Button variant="primary" onPress={() => setEditing('new')}>
      <Plus size={15} aria-hidden />
      New inhibition
    </Button>
  );
  return (
    <AlertsFrame
      title="Inhibitions"
      text="When one thing breaks, its consequences need not wake anybody too."
      actions={!isEmpty && add}
    >
      <p className="card mb-4 flex items-start gap-3 p-3 text-sm text-muted sm:px-4">
        <Info size={18} className="mt-px shrink-0" aria-hidden />
        Built in: a critical alert that fires keeps weaker ones quiet that watch the same metric, filter and
        group.
      </p>
      {inhibitions.isError && (
        <Failure error={inhibitions.error} onRetry={() => void inhibitions.refetch()} />
      )}
      {inhibitions.isPending && <Skeleton className="h-32" />}
      {isEmpty && (
        <EmptyState
          icon={<EarOff size={22} aria-hidden />}
          title="No inhibitions of your own"
          text="For example: while a host is down, its warnings stay quiet."
        >
          {add}
        </EmptyState>
      )}
      {!isEmpty && inhibitions.data !== undefined && (
        <ul className="card divide-y divide-line" aria-label="Inhibitions">
          {inhibitions.data.map((inhibition) => (
            <InhibitionLine
              key={inhibition.inhibition_id}
              inhibition={inhibition}
              rules={rules.data ?? []}
              manages={manages}
              onEdit={() => setEditing(inhibition)}
            />
          ))}
        </ul>
      )}
      {editing !== null && (
        <InhibitionDialog inhibition={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
    </AlertsFrame>
  );
}

function InhibitionLine({
  inhibition,
  rules,
  manages,
  onEdit,
}: {
  inhibition: Inhibition;
  rules: readonly Rule[];
  manages: boolean;
  onEdit: () => void;
}) {
  const { name, source, target, equal } = inhibition;
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 p-3 sm:flex-nowrap sm:px-4">
      <EarOff size={18} className="mt-0.5 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-semibold break-words">{name}</p>
        <dl className="mt-0.5 grid grid-cols-[auto_1fr] gap-x-3 text-sm">
          <dt className="text-muted">While</dt>
          <dd className="break-words">{`${alertsInWords(source, rules)} fires`}</dd>
          <dt className="text-muted">quiet</dt>
          <dd className="break-words">{alertsInWords(target, rules)}</dd>
          {equal.length > 0 && (
            <>
              <dt className="text-muted">with</dt>
              <dd className="break-words">{`the same ${equal.join(', ')}`}</dd>
            </>
          )}
        </dl>
      </div>
      {manages && (
        <LineActions
          list="inhibitions"
          id={inhibition.inhibition_id}
          name={name}
          what="inhibition"
          consequence="Alerts it keeps quiet now are told at once if they still fire."
          onEdit={onEdit}
        />
      )}
    </li>
  );
}
