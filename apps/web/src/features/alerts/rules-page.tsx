import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { BellRing, Plus } from 'lucide-react';
import { useState } from 'react';
import type { Rule } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { rulesQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { handOver } from './draft-handover.ts';
import { contentOf } from './rule-draft.ts';
import { ruleInWords } from './rule-words.ts';
import { SeverityIcon, severityTitles } from './severity.tsx';

/** `/alerts/rules`: what is watched, in sentences. */
export function RulesPage() {
  const user = useMe();
  const navigate = useNavigate();
  const rules = useQuery(rulesQuery);
  const [search, setSearch] = useState('');
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (rules.data ?? [])
    .filter((rule) => {
      const text = `${rule.name} ${ruleInWords(rule.evaluation, rule.unit)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => b.counts.firing - a.counts.firing || a.name.localeCompare(b.name));
  const create = (): void => {
    handOver(null);
    void navigate({ to: '/alerts/rules/new' });
  };
  const isEmpty = rules.data?.length === 0;
  return (
    <AlertsFrame
      title="Rules"
      text="What is watched, and when it is not well."
      actions={
        mayEdit(user) && (
          <Button variant="primary" onPress={create}>
            <Plus size={15} aria-hidden />
            New rule
          </Button>
        )
      }
    >
      {rules.isError && <Failure error={rules.error} onRetry={() => void rules.refetch()} />}
      {rules.isPending && <Skeleton className="h-48" />}
      {isEmpty && (
        <EmptyState
          icon={<BellRing size={22} aria-hidden />}
          title="Nothing is watched yet"
          text="A rule says what is not well, in a sentence; you see at once when it would have fired."
        >
          {mayEdit(user) && (
            <Button variant="primary" onPress={create}>
              <Plus size={15} aria-hidden />
              New rule
            </Button>
          )}
        </EmptyState>
      )}
      {rules.data !== undefined && !isEmpty && (
        <>
          <input
            type="search"
            className="field mb-3 max-w-md"
            aria-label="Search rules"
            placeholder="Search rules"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          <ul className="card divide-y divide-line" aria-label="Rules">
            {found.map((rule) => (
              <RuleLine key={rule.rule_id} rule={rule} />
            ))}
          </ul>
          {found.length === 0 && (
            <p className="p-6 text-center text-muted">{`No rule matches “${search}”.`}</p>
          )}
        </>
      )}
    </AlertsFrame>
  );
}

function stateOf(rule: Rule): { text: string; tone: string } {
  if (!rule.enabled) return { text: 'Off', tone: 'text-muted' };
  if (rule.problem !== null) return { text: 'Cannot be evaluated', tone: 'text-crit' };
  const { firing, pending, ok, no_data: noData } = rule.counts;
  if (firing > 0) return { text: `${firing} firing`, tone: 'text-crit' };
  if (pending > 0) return { text: `${pending} pending`, tone: 'text-warn' };
  // One about silence has no value while it is well: points come, whatever they say.
  if (ok === 0 && noData > 0 && rule.evaluation.condition.kind !== 'no_data')
    return { text: 'No data', tone: 'text-muted' };
  return { text: 'Well', tone: 'text-ok' };
}

function RuleLine({ rule }: { rule: Rule }) {
  const client = useQueryClient();
  const enable = useMutation({
    mutationFn: (enabled: boolean) =>
      api<Rule>('PUT', `/api/v1/rules/${encodeURIComponent(rule.rule_id)}`, {
        content: { ...contentOf(rule), enabled },
        base_version: rule.version,
      }),
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['rules'] }),
  });
  const state = stateOf(rule);
  return (
    <li className="flex items-start gap-3 p-3 max-sm:flex-wrap sm:items-center sm:px-4">
      <span title={severityTitles[rule.severity]}>
        <SeverityIcon severity={rule.severity} />
        <span className="sr-only">{severityTitles[rule.severity]}</span>
      </span>
      <div className="min-w-0 flex-1 max-sm:basis-4/5">
        <Link
          to="/alerts/rules/$ruleId"
          params={{ ruleId: rule.rule_id }}
          className="font-semibold hover:underline"
        >
          {rule.name}
        </Link>
        <p className="text-sm text-muted">{ruleInWords(rule.evaluation, rule.unit)}</p>
        {rule.problem !== null && <p className="text-sm text-crit">{rule.problem}</p>}
      </div>
      <span className={`shrink-0 text-sm font-medium max-sm:grow max-sm:ps-8 ${state.tone}`}>
        {state.text}
      </span>
      {rule.editable && (
        <Button
          size="small"
          aria-label={`${rule.enabled ? 'Switch off' : 'Switch on'} ${rule.name}`}
          isDisabled={enable.isPending}
          onPress={() => enable.mutate(!rule.enabled)}
        >
          {rule.enabled ? 'Switch off' : 'Switch on'}
        </Button>
      )}
    </li>
  );
}
